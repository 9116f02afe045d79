#include "dropcheck/reports/terminal.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "grid.hpp"
#include "terminal_table.hpp"
#include "text.hpp"

namespace dropcheck::reports {
namespace {

// What a reader of the terminal must act on, proofs first.
const std::vector<Verdict>& told_verdicts() {
  static const std::vector<Verdict> kTold{
      Verdict::kRefuted, Verdict::kCrash,          Verdict::kTimeout,
      Verdict::kError,   Verdict::kUnexpectedPass, Verdict::kInconclusive,
      Verdict::kNotRun};
  return kTold;
}

// More configurations than this are counted, not listed.
constexpr std::size_t kListedConfigurations = 12;

class Blocks {
 public:
  Blocks(const RunResult& result, const TerminalStyle& style)
      : result_(result),
        style_(style),
        pen_(style),
        columns_(usable_columns(style)) {}

  void add(const Group& group) {
    const Finding& finding = *group.front();
    out_ += '\n';
    add_headline(finding);
    indented(finding.subject);
    indented(finding.sentence);
    const std::string consequence = consequence_line(result_, finding);
    if (!consequence.empty()) indented(consequence);
    for (const std::string& line :
         flowed(evidence_parts(finding), ", ", columns_ - 2)) {
      out_ += "  " + line + "\n";
    }
    if (!finding.repeatable) {
      indented("cannot be repeated exactly: one unseeded sequence");
    }
    if (finding.verdict == Verdict::kUnexpectedPass) {
      indented("declared: " + finding.deviation_reason);
    }
    add_others(group);
    const std::string replay = replay_line(finding);
    if (!replay.empty()) out_ += "  " + pen_.bold(replay) + "\n";
    const std::string smallest = smallest_line(finding);
    if (!smallest.empty()) indented(smallest);
    const std::string again = smallest_replay_line(finding);
    if (!again.empty()) out_ += "  " + pen_.bold(again) + "\n";
  }

  std::string take() { return std::move(out_); }

 private:
  void add_headline(const Finding& finding) {
    const std::string mark = fmt::format("{} {}", pen_.glyph(finding.verdict),
                                         name_of(finding.verdict));
    const std::string id = one_line(finding.id);
    if (columns_of(mark) + 1 + columns_of(id) <= columns_) {
      out_ += fmt::format("{} {}\n", pen_.mark(finding.verdict, mark), id);
      return;
    }
    out_ += pen_.mark(finding.verdict, mark) + "\n";
    indented(id);
  }

  void indented(const std::string& text) {
    for (const std::string& line : wrapped(one_line(text), columns_ - 2)) {
      out_ += "  " + line + "\n";
    }
  }

  void add_others(const Group& group) {
    const Others others = others_of(group);
    const auto& configurations = others.configurations;
    if (!configurations.empty()) indented(configurations_line(others) + ":");
    for (std::size_t i = 0; i < configurations.size(); ++i) {
      if (i == kListedConfigurations) {
        indented(
            fmt::format("  and {} not listed here", configurations.size() - i));
        break;
      }
      const Finding& other = *configurations[i];
      const bool same = other.sentence == group.front()->sentence;
      indented(fmt::format("  [{}]{}", other.configuration,
                           same ? "" : " " + other.sentence));
    }
    const std::string checks = checks_line(others);
    if (!checks.empty()) indented(checks);
  }

  const RunResult& result_;
  TerminalStyle style_;
  Pen pen_;
  std::size_t columns_;
  std::string out_;
};

std::string paragraph(const std::string& text, const TerminalStyle& style) {
  std::string out;
  for (const auto& line : wrapped(one_line(text), usable_columns(style))) {
    out += line + "\n";
  }
  return out;
}

// Declared deviations, one line for each reason: they are no news, but a
// reader must not have to open a file to see them.
std::string declared(const RunResult& result, const TerminalStyle& style) {
  struct Declared {
    std::string url;
    std::set<std::string> checks;
    std::size_t count = 0;
  };
  std::map<std::string, Declared> by_reason;
  for (const Finding& finding : result.findings) {
    if (finding.verdict != Verdict::kDeviation) continue;
    Declared& entry = by_reason[finding.deviation_reason];
    entry.url = finding.deviation_url;
    entry.checks.insert(finding.check);
    ++entry.count;
  }
  std::string out;
  for (const auto& [reason, entry] : by_reason) {
    out +=
        paragraph(fmt::format("declared, {} x {}: {} <{}>", entry.count,
                              fmt::join(entry.checks, ", "), reason, entry.url),
                  style);
  }
  return out.empty() ? out : "\n" + out;
}

// Why checks have no meaning here, one line for each reason.
std::string not_supported(const RunResult& result, const TerminalStyle& style) {
  std::map<std::string, std::set<std::string>> checks;
  for (const Finding& finding : result.findings) {
    if (finding.verdict != Verdict::kNotSupported) continue;
    checks[finding.sentence].insert(finding.check);
  }
  std::string out;
  for (const auto& [reason, names] : checks) {
    out += paragraph(
        fmt::format("not supported, {}: {}", fmt::join(names, ", "), reason),
        style);
  }
  return out.empty() ? out : "\n" + out;
}

// What many nights say together; a line each.
std::string lifetimes(const RunResult& result, const TerminalStyle& style) {
  std::string out;
  for (const properties::LifetimeRecord& lifetime : result.lifetimes) {
    out += paragraph(fmt::format("lifetime of {} {}: {}", lifetime.subject,
                                 lifetime.configuration, lifetime.sentence),
                     style);
  }
  return out.empty() ? out : "\n" + out;
}

// How masks were read, and by which instructions; a subject, or how many.
std::string paths(const RunResult& result, const TerminalStyle& style) {
  std::map<std::string, std::vector<std::string>> subjects;
  for (const properties::SubjectRecord& subject : result.subjects) {
    if (subject.paths.empty()) continue;
    subjects[fmt::format("{}", fmt::join(subject.paths, ", "))].push_back(
        subject.name);
  }
  if (subjects.empty()) return "";
  std::vector<std::string> parts;
  for (const auto& [words, names] : subjects) {
    parts.push_back(subjects.size() == 1 ? words
                    : names.size() == 1
                        ? fmt::format("{} ({})", words, names.front())
                        : fmt::format("{} ({} subjects)", words, names.size()));
  }
  std::string text = fmt::format("masks read by: {}", fmt::join(parts, "; "));
  const auto simd = result.environment.find("simd");
  if (simd != result.environment.end()) text += "; " + simd->second;
  return "\n" + paragraph(text, style);
}

std::string remarks(const RunResult& result, const TerminalStyle& style) {
  std::string out;
  for (const std::string& warning : result.warnings) {
    out += paragraph("warning: " + warning, style);
  }
  for (const std::string& problem : result.deviation_problems) {
    out += paragraph("problem: " + problem, style);
  }
  if (result.interrupted) {
    out += paragraph("interrupted: the run stopped before its end", style);
  }
  if (result.alarm) out += paragraph(alarm_statement(result), style);
  return out.empty() ? out : "\n" + out;
}

}  // namespace

std::string summary_table(const RunResult& result, const TerminalStyle& style) {
  std::string out = verdict_tables(result, style);
  Blocks blocks(result, style);
  for (const Group& group : groups_of(result, told_verdicts())) {
    blocks.add(group);
  }
  out += blocks.take();
  out += declared(result, style);
  out += not_supported(result, style);
  out += lifetimes(result, style);
  out += paths(result, style);
  out += remarks(result, style);
  const std::string closing =
      overall_sentence(result) + " " + joint_statement(result);
  return out + "\n" + paragraph(closing, style);
}

}  // namespace dropcheck::reports
