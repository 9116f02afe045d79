#pragma once

#include <cstdint>

#include "dropcheck/properties/plan.hpp"

namespace dropcheck::properties {

/// What a profile asks for, and the most that one configuration may cost.
struct Budget {
  double delta;
  double margin;
  double calls;
  double elements;
};

Budget budget_of(Profile profile);

/// Fixes tolerance, margin and sample sizes of a configuration whose law,
/// config and shape are set.
void plan_sizes(PlannedConfiguration& planned, const Settings& settings);

/// About 1 % of the expected sample, at most 2^20 decisions; a multiple of 16
/// calls, so that parts in time are equally long. Short calls are laid end to
/// end, a block is then one row.
std::int64_t block_calls(const PlannedConfiguration& planned);

}  // namespace dropcheck::properties
