#include "dropcheck/properties/run_result.hpp"

#include <algorithm>

namespace dropcheck::properties {

namespace {

bool lifetime_refuted(const RunResult& result) {
  return std::any_of(
      result.lifetimes.begin(), result.lifetimes.end(),
      [](const LifetimeRecord& lifetime) { return lifetime.refuted; });
}

}  // namespace

Verdict worst(const RunResult& result) {
  if (result.findings.empty()) return Verdict::kNotRun;
  Verdict verdict = Verdict::kCertified;
  for (const Finding& finding : result.findings) {
    verdict = worse(verdict, finding.verdict);
  }
  if (lifetime_refuted(result)) verdict = worse(verdict, Verdict::kRefuted);
  return verdict;
}

std::map<Verdict, std::size_t> count_verdicts(const RunResult& result) {
  std::map<Verdict, std::size_t> counts;
  for (const Finding& finding : result.findings) ++counts[finding.verdict];
  return counts;
}

int exit_status(const RunResult& result) {
  const auto counts = count_verdicts(result);
  const auto any = [&](Verdict verdict) { return counts.count(verdict) > 0; };
  if (result.interrupted) return 130;
  if (!result.deviation_problems.empty() || any(Verdict::kUnexpectedPass)) {
    return 2;
  }
  // An alarm by the average alone counts, but not one that a declared
  // deviation explains.
  const bool explained = any(Verdict::kDeviation);
  if (any(Verdict::kRefuted) || any(Verdict::kCrash) ||
      any(Verdict::kTimeout) || lifetime_refuted(result) ||
      (result.alarm && !explained)) {
    return 1;
  }
  if (any(Verdict::kError)) return 4;
  if (any(Verdict::kInconclusive) || any(Verdict::kNotRun)) return 3;
  const bool nothing =
      std::all_of(result.findings.begin(), result.findings.end(),
                  [](const Finding& finding) {
                    return finding.verdict == Verdict::kNotSupported;
                  });
  return nothing ? 5 : 0;
}

}  // namespace dropcheck::properties
