#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "dropcheck/stats/counts.hpp"
#include "dropcheck/stats/diagnostic.hpp"

namespace dropcheck::stats {

/// Pearson's chi-square in the forms a dropout report shows.
///
/// Law     p-values are asymptotic. At 1e-9 the true rate is up to 1500 times
///         the nominal one with the textbook rule "expected >= 5". Here a
///         result is valid_at_level where every expected count is at least 100,
///         alpha at least 1e-9, and the asymptotic expansion of the statistic's
///         law says that alpha / 2 is reached with at most twice that
///         probability: then p is compared with alpha / 2, and a right layer
///         fails with probability at most alpha. Elsewhere the note says why
///         not. Uniform cells need 100 each from 8 cells on; a single thin cell
///         beside thick ones needs 1000, seven need 400.
/// Use     on a prefix of the data fixed in the plan, never at a look.
/// Scale   an effect of w, the root of sum (p_i - e_i)^2 / e_i, adds n w^2 to
///         the statistic.
/// Throws  std::domain_error unless alpha is in (0, 0.5) and the counts sum to
///         less than 2^63.
/// Source  Pearson 1900; the rule is calibrated in METHODS.md.

/// Counts per cell against known probabilities.
///
/// Merges neighbouring cells until each expects at least 100; the note says
/// how many remain. Throws std::invalid_argument if lengths differ or are 0,
/// std::domain_error if probabilities are negative or do not sum to 1.
Diagnostic goodness_of_fit(std::span<const std::uint64_t> observed,
                           std::span<const double> expected_probabilities,
                           double alpha);

/// Drops per group against the binomial law of its size.
///
/// histogram[j] counts the groups with j drops; p is the drop probability, in
/// (0, 1); the size of a group is histogram.size() - 1.
Diagnostic binomial_group_fit(std::span<const std::uint64_t> histogram,
                              double p, double alpha);

/// Whether groups share one rate, estimated from all. One degree less than
/// there are groups with data; drops <= n in each.
Diagnostic homogeneity_chi_square(std::span<const Counts> groups, double alpha);

/// Joint counts of two mask bits: dropped_kept is first dropped, second kept.
struct TwoByTwo {
  std::uint64_t dropped_dropped = 0;
  std::uint64_t dropped_kept = 0;
  std::uint64_t kept_dropped = 0;
  std::uint64_t kept_kept = 0;
};

/// Whether two bits are independent, margins estimated; one degree.
Diagnostic independence_chi_square(const TwoByTwo& table, double alpha);

/// Whether rows and columns of a table are independent, margins estimated.
///
/// Shape   counts is row-major with that many columns. Rows and columns
///         without any count are left out: (rows - 1) (columns - 1) degrees.
/// Throws  also std::invalid_argument unless counts fill whole rows.
Diagnostic independence_chi_square(std::span<const std::uint64_t> counts,
                                   std::size_t columns, double alpha);

}  // namespace dropcheck::stats
