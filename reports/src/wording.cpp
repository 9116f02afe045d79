#include "wording.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "text.hpp"

namespace dropcheck::reports {
namespace {

// In the order of the enumeration.
constexpr std::array<VerdictMark, properties::kVerdictCount> kMarks{{
    {"⊗", 'E', "the adapter or the harness broke"},
    {"↯", '!', "the process under test ended by itself"},
    {"◷", 'T', "a call took longer than its limit"},
    {"✗", 'X', "proved wrong, with a witness"},
    {"↑", '^', "a declared deviation that is gone"},
    {"?", '?', "not decided; never a pass"},
    {"–", '-', "interrupted or out of time; never a pass"},
    {"≈", '~', "refuted, as declared with reason and URL"},
    {"·", '.', "the subject declares that it lacks this"},
    {"✓", '+', "proved right, with a bound"},
}};

std::size_t certificates_by_chance(const RunResult& result) {
  return static_cast<std::size_t>(std::count_if(
      result.findings.begin(), result.findings.end(), [](const Finding& f) {
        return f.verdict == Verdict::kCertified &&
               f.evidence == properties::Evidence::kStatistical;
      }));
}

}  // namespace

const VerdictMark& mark_of(Verdict verdict) {
  return kMarks.at(static_cast<std::size_t>(verdict));
}

const std::vector<Verdict>& all_verdicts() {
  static const std::vector<Verdict> kVerdicts = [] {
    std::vector<Verdict> all;
    for (std::size_t i = 0; i < properties::kVerdictCount; ++i) {
      all.push_back(static_cast<Verdict>(i));
    }
    return all;
  }();
  return kVerdicts;
}

bool is_pass(Verdict verdict) { return verdict > Verdict::kNotRun; }

Verdict overall_verdict(const RunResult& result) {
  Verdict verdict = properties::worst(result);
  if (result.alarm) verdict = worse(verdict, Verdict::kRefuted);
  if (result.interrupted) verdict = worse(verdict, Verdict::kNotRun);
  // Beside certificates, what a subject lacks by declaration is no flaw.
  if (verdict == Verdict::kNotSupported &&
      properties::count_verdicts(result)[Verdict::kCertified] > 0) {
    return Verdict::kCertified;
  }
  return verdict;
}

std::string overall_word(const RunResult& result) {
  const Verdict verdict = overall_verdict(result);
  if (result.findings.empty()) return "nothing ran";
  if (is_pass(verdict) && !result.deviation_problems.empty()) {
    return "stale deviations";
  }
  if (verdict == Verdict::kDeviation) return "certified with deviations";
  return std::string(name_of(verdict));
}

std::string overall_sentence(const RunResult& result) {
  const auto counts = properties::count_verdicts(result);
  const std::size_t total = result.findings.size();
  const auto only = [&](Verdict verdict) {
    const auto found = counts.find(verdict);
    return found != counts.end() && found->second == total;
  };
  if (total == 0) return "No check ran.";
  if (only(Verdict::kCertified)) {
    return total == 1
               ? "The one finding is certified."
               : fmt::format("All {} findings are certified.", grouped(total));
  }
  std::vector<std::string> parts;
  for (const Verdict verdict : all_verdicts()) {
    const auto found = counts.find(verdict);
    if (found == counts.end() || found->second == 0) continue;
    parts.push_back(
        fmt::format("{} {}", grouped(found->second), name_of(verdict)));
  }
  return fmt::format("{}: {}.", counted(total, "finding"), joined(parts, ", "));
}

std::string open_sentence(const RunResult& result) {
  // More than these make a list that nobody reads at the top of a page.
  constexpr std::size_t kNamed = 4;
  std::vector<std::string> names;
  for (const Finding& finding : result.findings) {
    if (finding.verdict != Verdict::kRefuted) continue;
    std::string name = finding.check + " of " + finding.subject;
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      names.push_back(std::move(name));
    }
  }
  if (names.empty()) return {};
  const std::size_t others = names.size() - std::min(names.size(), kNamed);
  names.resize(names.size() - others);
  std::string text = "Proved wrong: " + joined(names, "; ");
  if (others > 0) text += fmt::format("; and {} more", others);
  return text + ".";
}

std::string joint_statement(const RunResult& result) {
  const std::size_t n = certificates_by_chance(result);
  if (n == 0) {
    const bool any = std::any_of(
        result.findings.begin(), result.findings.end(),
        [](const Finding& f) { return f.verdict == Verdict::kCertified; });
    return any ? "No certificate of this run rests on chance."
               : "Nothing is certified.";
  }
  const std::string each = chance(result.alpha);
  if (n == 1) {
    return fmt::format(
        "The one statistical certificate is wrong with probability at most "
        "{}.",
        each);
  }
  return fmt::format(
      "Each of {} statistical certificates is wrong with probability at most "
      "{}, any of them with at most {}.",
      grouped(n), each,
      chance(std::min(1.0, static_cast<double>(n) * result.alpha)));
}

std::string alarm_statement(const RunResult& result) {
  const std::string e = number(result.log10_run_e);
  const bool refuted = std::any_of(
      result.findings.begin(), result.findings.end(),
      [](const Finding& f) { return f.verdict == Verdict::kRefuted; });
  if (!result.alarm && refuted) {
    return fmt::format(
        "What is refuted here is proved case by case, without chance. What "
        "rests on chance raises no alarm (log10 of its averaged e-value: {}).",
        e);
  }
  if (!result.alarm) {
    return fmt::format(
        "The run as a whole raises no alarm (log10 of its averaged e-value: "
        "{}). Correct layers raise one with probability at most {}, however "
        "many checks there are.",
        e, chance(result.alpha));
  }
  return fmt::format(
      "The run as a whole raises the alarm (log10 of its averaged e-value: "
      "{}), which correct layers do with probability at most {}. The largest "
      "term is {}.",
      e, chance(result.alpha),
      result.largest_term.empty() ? "not recorded" : result.largest_term);
}

/// A bound, with as many digits as tell it from the expected value.
static std::string bound_text(double bound,
                              const std::optional<double>& expected) {
  if (!expected || number(bound) != number(*expected) || bound == *expected) {
    return number(bound);
  }
  std::string text;
  for (int digits = 7; digits <= 17; ++digits) {
    text = fmt::format("{:.{}g}", bound, digits);
    if (text != fmt::format("{:.{}g}", *expected, digits)) break;
  }
  return text;
}

std::string interval_text(const Finding& finding) {
  if (!finding.interval_lower && !finding.interval_upper) return {};
  const std::string lower =
      finding.interval_lower
          ? "[" + bound_text(*finding.interval_lower, finding.expected)
          : "(-infinity";
  const std::string upper =
      finding.interval_upper
          ? bound_text(*finding.interval_upper, finding.expected) + "]"
          : "infinity)";
  return lower + ", " + upper;
}

std::vector<std::string> evidence_parts(const Finding& finding) {
  std::vector<std::string> parts;
  if (finding.expected) {
    parts.push_back("expected " + number(*finding.expected));
  }
  if (finding.observed) {
    parts.push_back("observed " + number(*finding.observed));
  }
  const std::string interval = interval_text(finding);
  if (!interval.empty()) parts.push_back("interval " + interval);
  if (finding.n > 0) parts.push_back("n = " + grouped(finding.n));
  if (finding.log10_e) {
    parts.push_back("log10 e = " + number(*finding.log10_e));
  }
  return parts;
}

std::string evidence_line(const Finding& finding) {
  return joined(evidence_parts(finding), ", ");
}

std::string replay_line(const Finding& finding) {
  if (finding.replay.empty()) return {};
  return "dropcheck replay " + shell_word(one_line(finding.replay));
}

namespace {

std::string_view what_it_still_does(properties::Verdict verdict) {
  switch (verdict) {
    case properties::Verdict::kCrash:
      return "crashes";
    case properties::Verdict::kTimeout:
      return "hangs";
    default:
      return "refuted";
  }
}

}  // namespace

std::string smallest_line(const Finding& finding) {
  if (!finding.shrinking) return {};
  const properties::Shrinking& shrinking = *finding.shrinking;
  const std::string tried = counted(shrinking.steps.size(), "case");
  const std::string_view does = what_it_still_does(finding.verdict);
  std::string line =
      shrinking.smallest.empty()
          ? fmt::format("no simpler case {} ({} tried)",
                        does == "refuted" ? "is refuted" : does, tried)
          : fmt::format("smallest case {}{}: {} ({} tried)",
                        does == "refuted" ? "still " : "that still ", does,
                        shrinking.smallest, tried);
  if (shrinking.not_asked > 0) {
    line += fmt::format("; {} too small to decide",
                        counted(shrinking.not_asked, "simpler case"));
  }
  if (!shrinking.stopped.empty()) line += "; " + shrinking.stopped;
  return line;
}

std::string smallest_replay_line(const Finding& finding) {
  if (!finding.shrinking || finding.shrinking->replay.empty()) return {};
  return "dropcheck replay " + shell_word(one_line(finding.shrinking->replay));
}

std::string consequence_line(const RunResult& result, const Finding& finding) {
  if (finding.verdict != Verdict::kRefuted ||
      finding.evidence != properties::Evidence::kStatistical ||
      finding.check == "granularity") {
    return {};
  }
  const bool units_wrong = std::any_of(
      result.findings.begin(), result.findings.end(), [&](const Finding& one) {
        return one.check == "granularity" && one.verdict == Verdict::kRefuted &&
               one.subject == finding.subject && one.layer == finding.layer;
      });
  if (!units_wrong) return {};
  return "may follow from granularity: what is dropped as one is not what this "
         "check takes for a unit";
}

std::optional<double> open_effect(const Finding& finding) {
  if (!finding.expected || !finding.observed) return std::nullopt;
  double effect = 0;
  for (const auto& value :
       {finding.observed, finding.interval_lower, finding.interval_upper}) {
    if (!value || !std::isfinite(*value)) continue;
    effect = std::max(effect, std::abs(*value - *finding.expected));
  }
  return effect;
}

std::string case_name(const Finding& finding) {
  return fmt::format("{}[{}]", finding.check, finding.configuration);
}

}  // namespace dropcheck::reports
