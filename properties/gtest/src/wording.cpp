#include "dropcheck/gtest/wording.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "dropcheck/properties/number_text.hpp"

namespace dropcheck::gtest {
namespace {

using properties::Finding;
using properties::RunResult;
using properties::Verdict;

bool passes(const Finding& finding) {
  return finding.verdict == Verdict::kCertified ||
         finding.verdict == Verdict::kNotSupported ||
         finding.verdict == Verdict::kDeviation;
}

/// Worst first, in the order of the catalogue.
std::vector<const Finding*> bad_findings(const RunResult& result) {
  std::vector<const Finding*> bad;
  for (const Finding& finding : result.findings) {
    if (!passes(finding)) bad.push_back(&finding);
  }
  std::stable_sort(bad.begin(), bad.end(),
                   [](const Finding* a, const Finding* b) {
                     return a->verdict < b->verdict;
                   });
  return bad;
}

/// "2 refuted, 1 inconclusive"
std::string counts(const std::vector<const Finding*>& bad) {
  std::string text;
  for (std::size_t i = 0; i < bad.size();) {
    const Verdict verdict = bad[i]->verdict;
    std::size_t count = 0;
    for (; i < bad.size() && bad[i]->verdict == verdict; ++i) ++count;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count,
                        properties::name_of(verdict));
  }
  return text;
}

std::string headline(const RunResult& result,
                     const std::vector<const Finding*>& bad,
                     const Failure& failure) {
  if (result.findings.empty()) {
    return fmt::format("{}: nothing was verified against {}", failure.layer,
                       failure.law);
  }
  if (bad.empty()) {
    return result.alarm
               ? fmt::format(
                     "{} does not conform to {}: no finding alone, but all "
                     "together; most of it is {}",
                     failure.layer, failure.law, result.largest_term)
               : fmt::format("{}: no check of {} is certified", failure.layer,
                             failure.law);
  }
  const std::string tally =
      fmt::format("{} of {} findings", counts(bad), result.findings.size());
  if (bad.front()->verdict < Verdict::kInconclusive || result.alarm) {
    return fmt::format("{} does not conform to {}: {}", failure.layer,
                       failure.law, tally);
  }
  return fmt::format(
      "{} is neither proved to conform to {} nor to differ, which is no pass: "
      "{}; a larger profile may decide",
      failure.layer, failure.law, tally);
}

std::string numbers(const Finding& finding) {
  std::vector<std::string> parts;
  if (finding.expected) {
    parts.push_back(fmt::format("expected {:.6g}", *finding.expected));
  }
  if (finding.observed) {
    parts.push_back(fmt::format("observed {:.6g}", *finding.observed));
  }
  if (finding.interval_lower && finding.interval_upper) {
    parts.push_back(fmt::format("interval [{:.6g}, {:.6g}]",
                                *finding.interval_lower,
                                *finding.interval_upper));
  }
  if (finding.n > 0) parts.push_back(fmt::format("n = {}", finding.n));
  if (finding.log10_e) {
    parts.push_back(fmt::format("log10 e = {:.4g}", *finding.log10_e));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

/// A word that a shell takes as it stands, or in quotes.
std::string shell_word(const std::string& text) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
      "._:+-/,=%@";
  if (text.find_first_not_of(kPlain) == std::string::npos) return text;
  std::string quoted = "'";
  for (const char c : text) {
    quoted += c == '\'' ? "'\\''" : std::string(1, c);
  }
  return quoted + "'";
}

std::string replay_line(const Finding& finding, const Failure& failure) {
  return fmt::format("DROPCHECK_REPLAY={} {} --gtest_filter={}",
                     shell_word(finding.replay), shell_word(failure.program),
                     shell_word(failure.test));
}

std::string in_full(const Finding& finding, const Failure& failure) {
  std::string text =
      fmt::format("{} {}\n  {}\n", properties::name_of(finding.verdict),
                  finding.id, finding.sentence);
  if (const std::string line = numbers(finding); !line.empty()) {
    text += fmt::format("  {}\n", line);
  }
  if (finding.replay.empty()) return text;
  return text + fmt::format("  to repeat it{}:\n  {}\n",
                            finding.repeatable ? "" : " (with other masks)",
                            replay_line(finding, failure));
}

/// Cut between characters of UTF-8.
std::string shortened(const std::string& text, std::size_t longest) {
  if (text.size() <= longest) return text;
  while (longest > 0 &&
         (static_cast<unsigned char>(text[longest]) & 0xC0) == 0x80) {
    --longest;
  }
  return text.substr(0, longest) + "...";
}

std::string in_short(const Finding& finding) {
  return fmt::format("  {} {}: {}\n", properties::name_of(finding.verdict),
                     finding.id, shortened(finding.sentence, 100));
}

}  // namespace

bool conforms(const RunResult& result) {
  const bool proved = std::any_of(
      result.findings.begin(), result.findings.end(),
      [](const Finding& f) { return f.verdict == Verdict::kCertified; });
  return proved && !result.alarm &&
         std::all_of(result.findings.begin(), result.findings.end(), passes);
}

std::string failure_text(const RunResult& result, const Failure& failure) {
  const auto bad = bad_findings(result);
  std::string text = headline(result, bad, failure) + "\n";
  if (!bad.empty()) text += in_full(*bad.front(), failure);
  if (bad.size() > 1) {
    text += "all that is no pass:\n";
    for (const Finding* finding : bad) text += in_short(*finding);
  }
  for (const std::string& warning : result.warnings) {
    text += fmt::format("warning: {}\n", warning);
  }
  return text + fmt::format(
                    "profile {}, DROPCHECK_SEED={}, alarm budget {} "
                    "for the whole process",
                    result.profile, failure.seed,
                    properties::number_text(result.alpha));
}

}  // namespace dropcheck::gtest
