#pragma once

#include <optional>
#include <string>
#include <vector>

#include "context.hpp"
#include "dropcheck/stats/counts.hpp"

namespace dropcheck::properties {

/// A well-known mistake in drop_block that gives the rates which were counted
/// at the positions of a map of `extents`: another gamma, other centres, blocks
/// of another size, height and width swapped. Empty if there is none.
std::optional<std::string> cause_of_map(const Context& context,
                                        const impl::Shape& extents,
                                        const std::vector<stats::Counts>& seen);

/// The same, from the rate of the readable positions of a map alone: another
/// gamma.
std::optional<std::string> cause_of_block_rate(const Context& context,
                                               const stats::Interval& rate);

}  // namespace dropcheck::properties
