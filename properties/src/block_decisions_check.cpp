// Whether every sample and every branch of a block is decided by itself.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "block_pairs.hpp"
#include "network_claims.hpp"
#include "structure_evidence.hpp"

namespace dropcheck::properties {
namespace {

/// Pairs of branches of one block, in the order of the taps.
std::vector<TapPair> branch_pairs(const NetworkEvidence& evidence) {
  std::vector<TapPair> pairs;
  for (std::size_t later = 0; later < evidence.taps(); ++later) {
    for (std::size_t earlier = 0; earlier < later; ++earlier) {
      if (evidence.law().block_of(earlier) == evidence.law().block_of(later)) {
        pairs.push_back({earlier, later});
      }
    }
  }
  return pairs;
}

std::uint64_t disagreements(const PairCounts& pairs) {
  return pairs.earlier + pairs.later - 2 * pairs.both;
}

/// Decisions of a block in which neighbours, or branches, were decided
/// differently: one is enough to prove that they do not share a decision.
struct BlockDifferences {
  std::uint64_t neighbours = 0;
  std::uint64_t branches = 0;
};

std::vector<BlockDifferences> differences(const NetworkEvidence& evidence) {
  std::vector<BlockDifferences> all(
      static_cast<std::size_t>(evidence.law().blocks));
  for (std::size_t tap = 0; tap < evidence.taps(); ++tap) {
    auto& block = all[static_cast<std::size_t>(evidence.law().block_of(tap))];
    const auto& lags = evidence.tally.taps[tap].lags;
    if (!lags.empty()) block.neighbours += disagreements(lags.front());
  }
  for (const TapPair& pair : branch_pairs(evidence)) {
    auto& block =
        all[static_cast<std::size_t>(evidence.law().block_of(pair.later))];
    block.branches += disagreements(counts_of(evidence, pair));
  }
  return all;
}

/// The first block that is to drop and showed no difference; -1 if none.
int block_without_difference(const NetworkEvidence& evidence) {
  const auto all = differences(evidence);
  for (int block = 0; block < evidence.law().blocks; ++block) {
    const double rate = evidence.block_rate(block);
    if (!(rate > 0 && rate < 1)) continue;
    const auto& seen = all[static_cast<std::size_t>(block)];
    if (seen.neighbours == 0 && evidence.plan.units > 1) return block;
    if (seen.branches == 0 && evidence.law().branches.size() > 1) return block;
  }
  return -1;
}

std::string unit_word(const NetworkEvidence& evidence) {
  return evidence.plan.unit_size == 1 ? "elements" : "samples";
}

/// The parts of a family in which nobody ever disagreed. An e-value that is
/// set to 0 otherwise is still one; lesser dependence is the business of
/// block_independence.
std::vector<double> shared_parts(const Family& family) {
  std::vector<double> parts = family.log_e;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const PairCounts& pairs = family.counts[i];
    if (disagreements(pairs) > 0 || pairs.later == 0) parts[i] = -1e300;
  }
  return parts;
}

struct Sharing {
  Family neighbours;
  Family branches;
  std::vector<double> by_neighbours;
  std::vector<double> by_branches;

  /// Half the claim each, where there are branches.
  double log_e() const {
    if (by_branches.empty() || by_neighbours.empty()) {
      const auto& only = by_branches.empty() ? by_neighbours : by_branches;
      return only.empty() ? 0 : log_mean(only);
    }
    return log_mean({log_mean(by_neighbours), log_mean(by_branches)});
  }
};

Sharing find_sharing(const NetworkEvidence& evidence) {
  Sharing sharing{lag_family(evidence, 0),
                  tap_family(evidence, branch_pairs(evidence)),
                  {},
                  {}};
  sharing.by_neighbours = shared_parts(sharing.neighbours);
  sharing.by_branches = shared_parts(sharing.branches);
  return sharing;
}

std::string sentence(const NetworkEvidence& evidence, const Sharing& sharing) {
  const auto largest = [](const std::vector<double>& logs) {
    return logs.empty() ? -1e301 : logs[largest_index(logs)];
  };
  const bool by_branch =
      largest(sharing.by_branches) > largest(sharing.by_neighbours);
  const Family& family = by_branch ? sharing.branches : sharing.neighbours;
  if (family.log_e.empty()) return "decisions are shared";
  const std::size_t tap = family.later_taps[largest_index(
      by_branch ? sharing.by_branches : sharing.by_neighbours)];
  return fmt::format(
      "{} share one decision: they agreed in all of {} calls",
      by_branch ? "the branches of " +
                      evidence.block_name(evidence.law().block_of(tap))
                : fmt::format("all {} of a batch in {}", unit_word(evidence),
                              evidence.tap_name(tap)),
      evidence.tally.calls);
}

Finding check_block_decisions(const Context& context) {
  Finding finding = start_network_finding(context, "block_decisions");
  const NetworkEvidence& evidence = *context.network;
  const std::uint64_t torn = evidence.tally.torn_units();
  if (torn > 0) {
    refute(finding,
           fmt::format("{} of {} samples are decided in parts, the first in "
                       "{}: some elements keep the branch, others do not",
                       torn, finding.n + evidence.tally.unread_units(),
                       evidence.tap_name(evidence.tally.wrong->tap)));
    return finding;
  }
  if (undecidable(finding, evidence)) return finding;
  const Sharing sharing = find_sharing(evidence);
  if (refute_by_e_value(finding, context, sharing.log_e(),
                        sentence(evidence, sharing))) {
    return finding;
  }
  const int open = block_without_difference(evidence);
  if (open >= 0) {
    leave_open(
        finding,
        fmt::format(
            "{} drops too rarely to tell whether its decisions are shared",
            evidence.block_name(open)));
    return finding;
  }
  const bool branches = evidence.law().branches.size() > 1;
  certify(finding,
          fmt::format("one decision for each of the {}{}", unit_word(evidence),
                      branches ? " and each branch" : ""),
          fmt::format("all elements of a unit agree in {} units; in every "
                      "block that drops, neighbours{} were decided differently",
                      finding.n, branches ? " and branches" : ""));
  return finding;
}

void plan_block_decisions(const PlannedConfiguration& planned, const Settings&,
                          double, PlannedCheck& check) {
  const NetworkPlan plan = make_network_plan(planned);
  check.expected_n = check.worst_n =
      plan.tap_n() * static_cast<double>(plan.rates.size());
  check.shares_masks = true;
  check.detectable =
      "samples or branches that share their decisions, and samples that are "
      "decided in parts";
}

}  // namespace

constinit const CheckDefinition block_decisions_check{
    .info = {"block_decisions", Evidence::kStatistical,
             "one decision for each sample and each branch of a block",
             "All elements of a unit must agree: one that does not refutes. "
             "Neighbouring units of a call, or branches of a block, that were "
             "never decided differently are refuted by the e-value against "
             "independence at any one rate; a single difference in each block "
             "certifies. Lesser dependence is for block_independence.",
             kByEValue, "faulty:vit_one_mask_for_batch"},
    .from_calls = check_block_decisions,
    .reads_masks = false,
    .structural = true,
    .of_networks = true,
    .plan = plan_block_decisions};

}  // namespace dropcheck::properties
