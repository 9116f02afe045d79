#pragma once

#include "dropcheck/stats/counts.hpp"

namespace dropcheck::stats {

/// Exact confidence interval of a drop probability, for a report at fixed n.
///
/// Formula lower: P(X >= drops | lower) = alpha / 2, upper: P(X <= drops |
///         upper) = alpha / 2, found by bisection on the logarithms of the
///         exact tails. Endpoints round outwards.
/// Law     covers with probability at least 1 - alpha at one n fixed before
///         the data. Looking repeatedly voids it: use confidence_sequence.
/// Throws  std::domain_error if drops exceeds n or alpha is outside (0, 1).
/// Source  Clopper and Pearson 1934.
Interval clopper_pearson(const Counts& counts, double alpha);

}  // namespace dropcheck::stats
