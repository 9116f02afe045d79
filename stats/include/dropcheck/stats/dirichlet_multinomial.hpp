#pragma once

#include <cstdint>
#include <span>

#include "dropcheck/stats/counts.hpp"

namespace dropcheck::stats {

/// ln of the Dirichlet-multinomial e-value for a table with known cells.
///
/// Shape   counts and theta have one entry per cell, in the same order.
/// Formula lgamma(kappa) - lgamma(kappa + n) + sum_j [lgamma(kappa theta_j +
///         n_j) - lgamma(kappa theta_j) - n_j ln theta_j], evaluated through
///         deviances and Stirling remainders.
/// Law     mean at most 1 under the cell probabilities theta, at every
///         stopping time: no merging of cells, no asymptotics.
/// Valid   only for disjoint tuples of independent units: on overlapping
///         windows the mean is not 1.
/// Throws  std::invalid_argument if lengths differ or are 0; std::domain_error
///         if a theta is not in (0, 1], they do not sum to 1 within 1e-9, or
///         kappa is not positive.
double log_dirichlet_multinomial(std::span<const std::uint64_t> counts,
                                 std::span<const double> theta, double kappa);

/// ln of the e-value for the number of drops in groups of one size.
///
/// Shape   histogram[j] counts the groups with j drops; the size g of a group
///         is histogram.size() - 1.
/// Formula Dirichlet-multinomial around the cells of Binomial(g, p0), over the
///         largest likelihood of Binomial(g, p), p in null_rates: at the
///         pooled rate, clamped. Cells too small for a double are safe.
/// Law     mean at most 1 for every p in null_rates, at every stopping time.
///         Refutes fixed counts and rates drawn per group.
/// Throws  std::invalid_argument if the histogram has fewer than two cells;
///         std::domain_error unless p0 is in (0, 1), kappa positive and
///         null_rates within [0, 1].
double log_group_count_e_value(std::span<const std::uint64_t> histogram,
                               double p0, double kappa, Interval null_rates);

}  // namespace dropcheck::stats
