#include "dropcheck/reports/html.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "dropcheck/properties/check_catalogue.hpp"
#include "grid.hpp"
#include "html_data.hpp"
#include "templates.hpp"
#include "text.hpp"

namespace dropcheck::reports {
namespace {

using Data = mustache::data;

// Beyond this many rows the matrix by configuration is folded away.
constexpr std::size_t kOpenMatrixRows = 40;

Data list_of(const std::vector<std::string>& texts) {
  Data list(Data::type::list);
  for (const std::string& text : texts) list << Data{"text", xml_text(text)};
  return list;
}

Data lifetimes_data(const RunResult& result) {
  Data list(Data::type::list);
  for (const properties::LifetimeRecord& lifetime : result.lifetimes) {
    Data row{"subject", xml_text(lifetime.subject)};
    row.set("configuration", xml_text(lifetime.configuration));
    row.set("nights", grouped(lifetime.nights));
    row.set("n", grouped(lifetime.n));
    row.set("log10_e", fmt::format("{:.2f}", lifetime.log10_e));
    row.set("sentence", xml_text(lifetime.sentence));
    list << row;
  }
  return list;
}

void add_fact(Data& facts, const std::string& name, const std::string& value) {
  if (value.empty()) return;
  Data fact{"name", xml_text(name)};
  fact.set("value", xml_text(value));
  facts << fact;
}

std::string duration(double seconds) {
  if (!(seconds >= 120)) return fmt::format("{:.3g} s", seconds);
  return fmt::format("{:.0f} min {:02.0f} s", (seconds - 30) / 60,
                     static_cast<double>(static_cast<long>(seconds) % 60));
}

Data facts_data(const RunResult& result) {
  Data facts(Data::type::list);
  add_fact(facts, "Profile", result.profile);
  add_fact(facts, "Seed", std::to_string(result.seed));
  add_fact(facts, "Alpha", chance(result.alpha));
  add_fact(facts, "Rate tolerance", number(result.delta));
  add_fact(facts, "Structure margin", number(result.margin));
  add_fact(facts, "Started", result.started);
  add_fact(facts, "Took", duration(result.seconds));
  add_fact(facts, "Threads", std::to_string(result.threads));
  add_fact(facts, "dropcheck", result.version);
  for (const auto& [name, value] : result.environment) {
    add_fact(facts, name, value);
  }
  return facts;
}

Data counts_data(const RunResult& result) {
  Data counts(Data::type::list);
  for (const auto& [verdict, count] : properties::count_verdicts(result)) {
    if (count == 0) continue;
    Data data = verdict_data(verdict);
    data.set("count", grouped(count));
    counts << data;
  }
  return counts;
}

Data subjects_data(const RunResult& result) {
  Data subjects(Data::type::list);
  for (const properties::SubjectRecord& subject : result.subjects) {
    Data data{"name", xml_text(subject.name)};
    data.set("layer", xml_text(subject.layer));
    data.set("version", xml_text(subject.version));
    data.set("generator", xml_text(subject.generator));
    data.set("repeats", subject.repeatable ? "yes" : "no");
    data.set("paths", fmt::format("{}", fmt::join(subject.paths, ", ")));
    subjects << data;
  }
  return subjects;
}

Data rows_of(const RunResult& result, const Group& group, std::size_t skip) {
  Data rows(Data::type::list);
  for (std::size_t i = skip; i < group.size(); ++i) {
    rows << finding_data(result, *group[i]);
  }
  return rows;
}

std::string others_title(const Others& others) {
  std::vector<std::string> parts;
  const std::string configurations = configurations_line(others);
  if (!configurations.empty())
    parts.push_back(configurations + " of this check");
  const std::string checks = checks_line(others);
  if (!checks.empty()) parts.push_back(checks);
  return xml_text(joined(parts, "; "));
}

// Cards: the first of each group in full, the others as rows below it.
Data cards_data(const RunResult& result) {
  std::vector<Verdict> told = all_verdicts();
  std::erase(told, Verdict::kCertified);
  std::erase(told, Verdict::kNotSupported);
  std::erase(told, Verdict::kNotRun);
  Data cards(Data::type::list);
  for (const Group& group : groups_of(result, told)) {
    Data card = finding_data(result, *group.front());
    const std::string consequence = consequence_line(result, *group.front());
    card.set("consequence",
             consequence.empty() ? Data(false) : Data(xml_text(consequence)));
    card.set("others", Data(group.size() > 1));
    card.set("others_title", others_title(others_of(group)));
    card.set("rows", rows_of(result, group, 1));
    cards << card;
  }
  return cards;
}

// Sections of rows only: one per subject for what is certified ...
void add_certified(Data& sections, const RunResult& result) {
  std::map<std::string, std::size_t> places;
  std::vector<Group> groups;
  for (const Finding& finding : result.findings) {
    if (finding.verdict != Verdict::kCertified) continue;
    const auto [place, is_new] =
        places.try_emplace(finding.subject, groups.size());
    if (is_new) groups.emplace_back();
    groups[place->second].push_back(&finding);
  }
  for (const Group& group : groups) {
    Data section = verdict_data(Verdict::kCertified);
    section.set("title", xml_text(group.front()->subject));
    section.set("count", grouped(group.size()));
    section.set("rows", rows_of(result, group, 0));
    sections << section;
  }
}

// ... and one for each verdict that needs no card.
Data sections_data(const RunResult& result) {
  Data sections(Data::type::list);
  for (const Verdict verdict : {Verdict::kNotRun, Verdict::kNotSupported}) {
    Group group;
    for (const Finding& finding : result.findings) {
      if (finding.verdict == verdict) group.push_back(&finding);
    }
    if (group.empty()) continue;
    Data section = verdict_data(verdict);
    section.set("title", "all subjects");
    section.set("count", grouped(group.size()));
    section.set("rows", rows_of(result, group, 0));
    sections << section;
  }
  add_certified(sections, result);
  return sections;
}

Data glossary_data(const RunResult& result) {
  Data glossary(Data::type::list);
  for (const std::string& check : checks_of(result)) {
    const properties::CheckInfo* info = properties::find_check(check);
    if (info == nullptr) continue;
    Data data{"name", check};
    data.set("summary", xml_text(info->summary));
    data.set("error_rates", xml_text(info->error_rates));
    glossary << data;
  }
  return glossary;
}

// "Error, and refuted": a broken adapter must not hide a proof.
std::string title_of(const RunResult& result) {
  std::string title = capitalised(overall_word(result));
  const auto counts = properties::count_verdicts(result);
  const auto refuted = counts.find(Verdict::kRefuted);
  if (overall_verdict(result) < Verdict::kRefuted && refuted != counts.end() &&
      refuted->second > 0) {
    title += ", and refuted";
  }
  return title;
}

std::string headline_of(const RunResult& result) {
  const auto counts = properties::count_verdicts(result);
  if (counts.size() < 2) return overall_sentence(result);
  return counted(result.findings.size(), "finding") + " on " +
         counted(targets_of(result).size(), "layer") + ". " +
         open_sentence(result);
}

void add_header(Data& page, const RunResult& result) {
  const Verdict verdict = overall_verdict(result);
  page.set("overall", verdict_data(verdict));
  page.set("word", title_of(result));
  page.set("headline", xml_text(headline_of(result)));
  page.set("joint", joint_statement(result));
  page.set("alarm", xml_text(alarm_statement(result)));
  page.set("command", xml_text(result.command));
  page.set("has_command", Data(!result.command.empty()));
  page.set("interrupted", Data(result.interrupted));
  page.set("facts", facts_data(result));
  page.set("counts", counts_data(result));
  page.set("warnings", list_of(result.warnings));
  page.set("problems", list_of(result.deviation_problems));
  page.set("has_lifetimes", Data(!result.lifetimes.empty()));
  page.set("lifetimes", lifetimes_data(result));
}

void add_matrices(Data& page, const RunResult& result) {
  const std::size_t rows = matrix_rows(result);
  const bool folded = rows > kOpenMatrixRows;
  page.set("any", Data(!result.findings.empty()));
  page.set("folded", Data(folded));
  page.set("unfolded", Data(!folded));
  page.set("row_count", grouped(rows));
  page.set("full", matrix_data(result));
  if (folded) page.set("summary", summary_matrix_data(result));
}

void add_partials(Data& page) {
  const auto add = [&page](const char* name, const char* text) {
    page.set(name,
             Data{mustache::partial([text] { return std::string(text); })});
  };
  add("matrix_part", templates::k_matrix);
  add("card_part", templates::k_card);
  add("row_part", templates::k_row);
  add("diagnostics_part", templates::k_diagnostics);
}

}  // namespace

std::string html_report(const RunResult& result) {
  Data page{"style", std::string(templates::k_style)};
  add_header(page, result);
  add_matrices(page, result);
  const Data cards = cards_data(result);
  page.set("has_cards", Data(!cards.is_empty_list()));
  page.set("cards", cards);
  page.set("sections", sections_data(result));
  const Data subjects = subjects_data(result);
  page.set("has_subjects", Data(!subjects.is_empty_list()));
  page.set("subjects", subjects);
  const Data glossary = glossary_data(result);
  page.set("has_glossary", Data(!glossary.is_empty_list()));
  page.set("glossary", glossary);
  add_partials(page);
  mustache::mustache renderer{std::string(templates::k_page)};
  return renderer.render(page);
}

}  // namespace dropcheck::reports
