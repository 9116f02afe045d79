#pragma once

#include <functional>

#include "context.hpp"
#include "dropcheck/stats/rate_claim.hpp"

namespace dropcheck::properties {

/// When a battery looks and when it ends; blocks are counted from 0.
struct BatteryPlan {
  std::int64_t calls_per_block = 1;
  std::uint64_t structure_blocks = 0;
  std::uint64_t maximum_blocks = 0;  ///< at least structure_blocks
  std::vector<std::uint64_t> looks;  ///< numbers of blocks, increasing
};

/// What was counted. The rate is frozen at the look that decided it.
struct BatteryResult {
  Tally total;
  stats::Counts rate;  ///< at the deciding look, or at the end
  stats::RateOutcome outcome = stats::RateOutcome::kUndecided;
  Tally structure;  ///< of exactly structure_blocks blocks
  bool structure_complete = false;
  bool interrupted = false;
  std::uint64_t blocks = 0;
};

BatteryPlan make_battery_plan(const PlannedConfiguration& configuration);

/// Draws blocks in parallel, consumes them in the order of their numbers and
/// stops at the first look that decides. The result does not depend on the
/// number of threads.
BatteryResult run_battery(const Sampler& sampler, const BatteryPlan& plan,
                          const stats::RateClaim& claim, bool sequential,
                          const std::function<bool()>& interrupted);

}  // namespace dropcheck::properties
