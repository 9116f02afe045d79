#pragma once

#include "dropcheck/stats/counts.hpp"

namespace dropcheck::stats {

/// Exact confidence interval of a drop probability, for a report at fixed n.
///
/// Formula lower: P(X >= drops | lower) = alpha / 2, upper: P(X <= drops |
///         upper) = alpha / 2, found by bisection on the logarithms of the
///         exact tails, not by a library's quantile function, which in the far
///         tail is wrong (Boost.Math issue 1397). Endpoints round outwards.
/// Errors  1e-13 relative up to n = 1e12.
/// Law     covers with probability at least 1 - alpha at one n fixed before
///         the data. Looking repeatedly voids it: use confidence_sequence.
/// Throws  std::domain_error if drops exceeds n or alpha is outside
///         (0, 0.5).
/// Source  Clopper and Pearson 1934.
Interval clopper_pearson(const Counts& counts, double alpha);

}  // namespace dropcheck::stats
