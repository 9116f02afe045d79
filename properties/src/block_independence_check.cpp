// Whether blocks, samples and calls of a network are decided independently.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "block_pairs.hpp"
#include "detection.hpp"
#include "network_claims.hpp"
#include "structure_evidence.hpp"

namespace dropcheck::properties {
namespace {

/// Pairs of taps `distance` apart.
std::vector<TapPair> taps_apart(const NetworkEvidence& evidence,
                                std::size_t distance) {
  std::vector<TapPair> pairs;
  for (std::size_t later = distance; later < evidence.taps(); ++later) {
    pairs.push_back({later - distance, later});
  }
  return pairs;
}

/// Every distance between units, between taps and between calls.
std::vector<Family> families(const NetworkEvidence& evidence) {
  std::vector<Family> all;
  for (std::size_t lag = 0; lag < evidence.plan.lags.size(); ++lag) {
    all.push_back(lag_family(evidence, lag));
  }
  for (std::size_t lag = 0; lag < evidence.plan.call_lags.size(); ++lag) {
    all.push_back(call_family(evidence, lag));
  }
  for (std::size_t lag = 1; lag < evidence.taps(); ++lag) {
    all.push_back(tap_family(evidence, taps_apart(evidence, lag)));
  }
  std::erase_if(all, [](const Family& family) { return family.log_e.empty(); });
  return all;
}

std::string sentence(const NetworkEvidence& evidence, const Family& family) {
  const std::size_t index = largest_index(family.log_e);
  const std::size_t earlier = family.earlier_taps[index];
  const std::size_t later = family.later_taps[index];
  const std::string dependence = dependence_of(family.counts[index]);
  if (earlier != later) {
    return fmt::format("{} and {} {}", evidence.tap_name(earlier),
                       evidence.tap_name(later), dependence);
  }
  return fmt::format("in {}, {} {}", evidence.tap_name(later), family.what,
                     dependence);
}

std::string places(const NetworkEvidence& evidence) {
  std::string text = "units of a call";
  if (evidence.taps() > 1) {
    text = evidence.law().branches.size() > 1 ? "blocks, branches, " + text
                                              : "blocks, " + text;
  }
  return evidence.plan.call_lags.empty() ? text : text + " and calls";
}

Finding check_block_independence(const Context& context) {
  Finding finding = start_network_finding(context, "block_independence");
  const NetworkEvidence& evidence = *context.network;
  if (undecidable(finding, evidence)) return finding;
  const std::vector<Family> all = families(evidence);
  std::vector<double> logs;
  logs.reserve(all.size());
  for (const Family& family : all) logs.push_back(family.pooled());
  if (logs.empty()) {
    finding.verdict = Verdict::kNotSupported;
    finding.sentence = "one decision only: nothing to compare";
    return finding;
  }
  const Family& worst = all[largest_index(logs)];
  const PairCounts& pairs = worst.counts[largest_index(worst.log_e)];
  finding.quantity = "drop rate after a drop";
  finding.expected = rate_of({pairs.later, pairs.pairs});
  finding.observed = rate_of(pairs.after_drop());
  if (refute_by_e_value(finding, context, log_mean(logs),
                        sentence(evidence, worst))) {
    return finding;
  }
  certify(finding, places(evidence) + " do not depend on each other",
          fmt::format("no dependence of the stated size at {} distances "
                      "between units, drop layers and calls; {}",
                      all.size(), finding.detectable));
  return finding;
}

void plan_block_independence(const PlannedConfiguration& planned,
                             const Settings&, double threshold,
                             PlannedCheck& check) {
  const NetworkPlan plan = make_network_plan(planned);
  const auto taps = static_cast<double>(plan.rates.size());
  const double dropping =
      static_cast<double>(std::count_if(plan.rates.begin(), plan.rates.end(),
                                        [](double rate) { return rate > 0; }));
  check.expected_n = check.worst_n = plan.tap_n() * taps;
  check.shares_masks = true;
  // All blocks correlate alike: each adds to the evidence, and its mixture
  // costs up to 2.6 nats (a test computes it). One of the families is right,
  // half of its weight is on the product.
  const double families =
      taps + static_cast<double>(plan.lags.size() + plan.call_lags.size());
  const double overhead = 2.6 * dropping + std::log(2 * families);
  check.detectable_effect =
      two_digits(detectable_z(threshold, overhead) /
                 std::sqrt(plan.tap_n() * std::max(1.0, dropping - 1)));
  check.detectable = fmt::format(
      "a correlation of {:.2g} at one distance between units, drop layers or "
      "calls, in all blocks alike",
      check.detectable_effect);
}

}  // namespace

constinit const CheckDefinition block_independence_check{
    .info =
        {"block_independence", Evidence::kStatistical,
         "blocks, samples and calls do not depend on each other",
         "Context e-values over the decisions: the drop rate after a drop and "
         "after a keep, for units of one call at several lags, for the same "
         "unit at every pair of drop layers, and in later calls. Each distance "
         "is pooled over all blocks; any one rate per drop layer is allowed.",
         kByEValue, "faulty:vit_same_seed_in_every_block"},
    .from_calls = check_block_independence,
    .reads_masks = false,
    .structural = true,
    .of_networks = true,
    .plan = plan_block_independence};

}  // namespace dropcheck::properties
