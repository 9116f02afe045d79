// What properties/src defines, for a tree where it is not built yet.
#include <algorithm>
#include <array>

#include "dropcheck/properties/check_catalogue.hpp"
#include "dropcheck/properties/run_result.hpp"

namespace dropcheck::properties {
namespace {

constexpr std::array<std::string_view, kVerdictCount> kVerdicts{
    "error",        "crash",   "timeout",   "refuted",       "unexpected-pass",
    "inconclusive", "not-run", "deviation", "not-supported", "certified"};
constexpr std::array<std::string_view, 3> kEvidence{
    "exhaustive", "deterministic", "statistical"};

const std::vector<CheckInfo>& catalogue() {
  static const std::vector<CheckInfo> kChecks = [] {
    std::vector<CheckInfo> checks;
    for (const std::string_view name :
         {"support", "granularity", "eval_identity", "edge_probabilities",
          "special_values", "layout", "shape", "dtype", "seeding", "state",
          "in_place", "backward_mask", "drop_rate", "expectation", "moments",
          "unit_counts", "homogeneity", "independence_within",
          "independence_calls"}) {
      checks.push_back({name, Evidence::kStatistical, "Asks one question.", "",
                        "False alarm at most its share of alpha.", ""});
    }
    return checks;
  }();
  return kChecks;
}

}  // namespace

std::string_view name_of(Verdict verdict) {
  return kVerdicts.at(static_cast<std::size_t>(verdict));
}
std::optional<Verdict> verdict_from_name(std::string_view name) {
  const auto* found = std::find(kVerdicts.begin(), kVerdicts.end(), name);
  if (found == kVerdicts.end()) return std::nullopt;
  return static_cast<Verdict>(found - kVerdicts.begin());
}
std::string_view name_of(Evidence evidence) {
  return kEvidence.at(static_cast<std::size_t>(evidence));
}
Verdict worst(const RunResult& result) {
  if (result.findings.empty()) return Verdict::kNotRun;
  Verdict verdict = Verdict::kCertified;
  for (const auto& finding : result.findings) {
    verdict = worse(verdict, finding.verdict);
  }
  return verdict;
}
std::map<Verdict, std::size_t> count_verdicts(const RunResult& result) {
  std::map<Verdict, std::size_t> counts;
  for (const auto& finding : result.findings) ++counts[finding.verdict];
  return counts;
}
std::span<const CheckInfo> checks() { return catalogue(); }
const CheckInfo* find_check(std::string_view name) {
  for (const CheckInfo& info : catalogue()) {
    if (info.name == name) return &info;
  }
  return nullptr;
}

}  // namespace dropcheck::properties
