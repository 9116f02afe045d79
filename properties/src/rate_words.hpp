#pragma once

#include <optional>
#include <string>

#include "dropcheck/stats/counts.hpp"

namespace dropcheck::properties {

/// A well-known cause whose drop probability lies in the interval, the most
/// plausible one first: keep and drop swapped, a threshold on a grid of 1/16
/// ... 1/65536, nothing dropped, applied twice. Empty if there is none.
std::optional<std::string> cause_of_rate(double specified,
                                         const stats::Interval& interval);

/// A probability with as many digits as the interval supports.
std::string rate_text(double observed, const stats::Interval& interval);

}  // namespace dropcheck::properties
