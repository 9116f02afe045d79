#pragma once

#include <functional>

#include "context.hpp"

namespace dropcheck::properties {

/// When a battery looks and when it ends; blocks are counted from 0.
struct BatteryPlan {
  std::int64_t calls_per_block = 1;
  std::uint64_t structure_blocks = 0;
  std::uint64_t maximum_blocks = 0;  ///< at least structure_blocks
  std::vector<std::uint64_t> looks;  ///< numbers of calls, increasing
};

/// Says at a look whether a claim is decided. A function of counts only.
using Decider = std::function<bool(const stats::Counts&)>;

/// What was counted. Each claim is frozen at the look that decided it.
struct BatteryResult {
  Tally total;
  std::vector<stats::Counts> claims;  ///< at the deciding look, or at the end
  Tally structure;                    ///< of exactly structure_blocks blocks
  bool structure_complete = false;
  bool interrupted = false;
  std::uint64_t blocks = 0;
};

BatteryPlan make_battery_plan(const PlannedConfiguration& configuration);

/// Draws blocks in parallel and consumes them in the order of their numbers.
/// Claims are looked at between calls, also within a block; the battery stops
/// at the end of the block by which every claim is decided. The result does not
/// depend on the number of threads.
BatteryResult run_battery(const Sampler& sampler, const BatteryPlan& plan,
                          const std::vector<Decider>& claims, bool sequential,
                          const std::function<bool()>& interrupted);

}  // namespace dropcheck::properties
