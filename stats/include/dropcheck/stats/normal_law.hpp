#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dropcheck/stats/counts.hpp"

namespace dropcheck::stats {

/// Evidence about values that should follow a normal law, and that came through
/// rounding: whatever a sum may have been before rounding is an interval, and
/// the e-value is the least one over it.

/// P(Z <= z) of a standard normal.
double normal_probability(double z);

/// The z with P(Z <= z) = probability. Throws std::domain_error unless it is in
/// (0, 1).
double normal_quantile(double probability);

/// ln of the e-value against "n standard normal values have this sum".
///
/// Formula mixture over the mean, N(0, 1 / weight):
///         sum^2 / (2 (n + weight)) - ln(1 + n / weight) / 2.
/// Shape   `sum` holds what the sum may be; the point nearest to 0 counts.
/// Law     mean at most 1 under independent N(0, 1), at every stopping time.
/// Throws  std::domain_error unless n >= 1, weight > 0 and the interval holds
///         a finite number (its sides may be open).
double log_normal_mean_e_value(const Interval& sum, double n, double weight);

/// The means that are not excluded at exp(-log_inverse_alpha), given unit
/// variance. Throws as above, and unless the level is positive.
Interval normal_mean_interval(const Interval& sum, double n, double weight,
                              double log_inverse_alpha);

/// ln of the e-value against "n standard normal values have this sum of
/// squares".
///
/// Formula mixture over the precision, Gamma(a, a) with a = weight / 2:
///         a ln a - lgamma(a) + lgamma(a + n / 2) - (a + n / 2) ln(a + Q / 2)
///         + Q / 2.
/// Shape   `squares` holds what the sum Q may be; the least value counts.
/// Law     as above. Throws as above, and for negative squares.
double log_normal_variance_e_value(const Interval& squares, double n,
                                   double weight);

/// The variances that are not excluded, given mean 0. Throws as above, and
/// unless squares and level are positive.
Interval normal_variance_interval(const Interval& squares, double n,
                                  double weight, double log_inverse_alpha);

/// ln of the e-value against "the cell probabilities lie in a band".
///
/// Shape   counts, theta and band have one entry per cell.
/// Formula ln of the Dirichlet-multinomial marginal around theta, less the
///         largest multinomial log-likelihood over theta_j in band_j with
///         sum 1: counts / c, clamped, with c by bisection.
/// Law     mean at most 1 for every theta in the band, at every stopping time:
///         universal inference.
/// Throws  as log_dirichlet_multinomial; std::invalid_argument if lengths
///         differ, std::domain_error if theta is outside the band.
double log_banded_multinomial_e_value(std::span<const std::uint64_t> counts,
                                      std::span<const double> theta,
                                      std::span<const Interval> band,
                                      double kappa);

}  // namespace dropcheck::stats
