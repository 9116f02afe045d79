#include "dropcheck/reports/junit.hpp"

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <pugixml.hpp>
#include <sstream>
#include <utility>

#include "text.hpp"
#include "wording.hpp"

namespace dropcheck::reports {
namespace {

using pugi::xml_node;

void set(xml_node node, const char* name, const std::string& value) {
  node.append_attribute(name).set_value(xml_text(value).c_str());
}

// Consumers of JUnit parse times strictly: plain decimals only.
std::string plain_seconds(double seconds) {
  return fmt::format("{:.3f}", std::isfinite(seconds) ? seconds : 0.0);
}

std::string class_name(const Finding& finding) {
  return finding.subject + "." + finding.layer;
}

std::string body_of(const Finding& finding) {
  std::string body = finding.sentence + "\n";
  const std::string evidence = evidence_line(finding);
  if (!evidence.empty()) body += evidence + "\n";
  if (!finding.detectable.empty()) body += finding.detectable + "\n";
  const std::string replay = replay_line(finding);
  if (!replay.empty()) body += replay + "\n";
  return body;
}

// The element that the verdict adds to a case; certified adds none.
const char* element_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::kError:
    case Verdict::kCrash:
    case Verdict::kTimeout:
      return "error";
    case Verdict::kRefuted:
    case Verdict::kUnexpectedPass:
    case Verdict::kInconclusive:
    case Verdict::kNotRun:
      return "failure";
    case Verdict::kDeviation:
    case Verdict::kNotSupported:
      return "skipped";
    case Verdict::kCertified:
      return nullptr;
  }
  return "error";
}

// Not run counts as inconclusive for a CI service: both are never a pass.
std::string type_of(Verdict verdict) {
  return std::string(verdict == Verdict::kNotRun
                         ? name_of(Verdict::kInconclusive)
                         : name_of(verdict));
}

std::string message_of(const Finding& finding) {
  if (finding.verdict != Verdict::kDeviation &&
      finding.verdict != Verdict::kUnexpectedPass) {
    return finding.sentence;
  }
  return fmt::format("{}: {} ({})", name_of(finding.verdict),
                     finding.deviation_reason, finding.deviation_url);
}

// Counts of one suite, which JUnit repeats as attributes.
struct Tally {
  std::size_t tests = 0, failures = 0, errors = 0, skipped = 0;
  double seconds = 0;

  void add(const char* element, double spent) {
    const std::string_view name = element != nullptr ? element : "";
    ++tests;
    if (name == "failure") ++failures;
    if (name == "error") ++errors;
    if (name == "skipped") ++skipped;
    if (std::isfinite(spent)) seconds += spent;
  }

  void write(xml_node node) const {
    set(node, "tests", std::to_string(tests));
    set(node, "failures", std::to_string(failures));
    set(node, "errors", std::to_string(errors));
    set(node, "skipped", std::to_string(skipped));
    set(node, "time", plain_seconds(seconds));
  }
};

void add_case(xml_node suite, const Finding& finding, Tally& tally) {
  xml_node node = suite.append_child("testcase");
  set(node, "classname", class_name(finding));
  set(node, "name", case_name(finding));
  set(node, "time", plain_seconds(finding.seconds));
  const char* element = element_of(finding.verdict);
  tally.add(element, finding.seconds);
  if (element == nullptr) return;
  xml_node outcome = node.append_child(element);
  set(outcome, "type", type_of(finding.verdict));
  set(outcome, "message", message_of(finding));
  outcome.text().set(xml_text(body_of(finding)).c_str());
}

void add_properties(xml_node suite, const RunResult& result) {
  xml_node node = suite.append_child("properties");
  const auto add = [&](const char* name, const std::string& value) {
    xml_node property = node.append_child("property");
    set(property, "name", name);
    set(property, "value", value);
  };
  add("seed", std::to_string(result.seed));
  add("alpha", chance(result.alpha));
  add("profile", result.profile);
  add("version", result.version);
}

// What is wrong with the run as a whole: name of the case, sentence.
std::vector<std::pair<std::string, std::string>> problems_of(
    const RunResult& result) {
  std::vector<std::pair<std::string, std::string>> problems;
  if (result.findings.empty()) problems.emplace_back("empty", "No check ran.");
  if (result.alarm) problems.emplace_back("alarm", alarm_statement(result));
  if (result.interrupted) {
    problems.emplace_back("interrupted", "The run was interrupted.");
  }
  for (const std::string& problem : result.deviation_problems) {
    problems.emplace_back("deviations", problem);
  }
  return problems;
}

void add_run_suite(xml_node root, const RunResult& result, Tally& total) {
  const auto problems = problems_of(result);
  if (problems.empty()) return;
  xml_node suite = root.append_child("testsuite");
  set(suite, "name", "dropcheck.run");
  Tally tally;
  for (const auto& [name, sentence] : problems) {
    tally.add("failure", 0);
    total.add("failure", 0);
    xml_node node = suite.append_child("testcase");
    set(node, "classname", "dropcheck.run");
    set(node, "name", name);
    set(node, "time", plain_seconds(0));
    xml_node failure = node.append_child("failure");
    set(failure, "type", name);
    set(failure, "message", sentence);
  }
  tally.write(suite);
}

void add_suite(xml_node root, const RunResult& result,
               const std::vector<const Finding*>& findings, Tally& total) {
  xml_node suite = root.append_child("testsuite");
  set(suite, "name", findings.front()->subject + " " + findings.front()->layer);
  if (!result.started.empty()) set(suite, "timestamp", result.started);
  add_properties(suite, result);
  Tally tally;
  for (const Finding* finding : findings) {
    add_case(suite, *finding, tally);
    total.add(element_of(finding->verdict), finding->seconds);
  }
  tally.write(suite);
}

// In the order in which subject and layer first appear.
std::vector<std::vector<const Finding*>> suites_of(const RunResult& result) {
  std::vector<std::vector<const Finding*>> suites;
  std::map<std::pair<std::string, std::string>, std::size_t> places;
  for (const Finding& finding : result.findings) {
    const auto [place, is_new] =
        places.try_emplace({finding.subject, finding.layer}, suites.size());
    if (is_new) suites.emplace_back();
    suites[place->second].push_back(&finding);
  }
  return suites;
}

}  // namespace

std::string junit_xml(const RunResult& result) {
  pugi::xml_document document;
  xml_node declaration = document.append_child(pugi::node_declaration);
  set(declaration, "version", "1.0");
  set(declaration, "encoding", "UTF-8");
  xml_node root = document.append_child("testsuites");
  set(root, "name", "dropcheck");
  Tally total;
  for (const auto& suite : suites_of(result)) {
    add_suite(root, result, suite, total);
  }
  add_run_suite(root, result, total);
  total.write(root);
  std::ostringstream out;
  document.save(out, " ", pugi::format_default, pugi::encoding_utf8);
  return out.str();
}

}  // namespace dropcheck::reports
