#pragma once

#include "dropcheck/stats/counts.hpp"
#include "special.hpp"

namespace dropcheck::stats {

/// ln P(X >= k) for 1 <= k <= n in the upper half of the law, where the tail is
/// at most about a half: by three methods that share the mass at most.

/// Whether k lies there; elsewhere the mirrored tail does.
bool in_upper_half(double k, const BinomialLaw& law);

/// Boost's incomplete beta function. NaN where it throws, or where the tail is
/// too small for a double. Its steps grow as the root of n.
double log_tail_by_boost(double k, const BinomialLaw& law);

/// Continued fraction (DiDonato and Morris 1992), in about the smaller of
/// sqrt(n p q) and 350 / z^2 steps, z standard deviations above the mean.
double log_tail_by_fraction(double k, const BinomialLaw& law);

/// Gauss quadrature of the beta density, for large n p q and small z, where
/// the fraction is slow.
double log_tail_by_integral(double k, const BinomialLaw& law);

/// Whichever of the two last is quick.
double own_log_tail(double k, const BinomialLaw& law);

/// Zubkov and Serov's bounds of the tail. See binomial_tail.hpp.
Interval sandwich(double k, const BinomialLaw& law);

/// Whether a logarithm lies inside bounds, up to its last digits. NaN does not.
bool within(const Interval& bounds, double log_probability);

/// The first of several evaluations that lies within bounds known to hold; the
/// upper bound, which is a valid p-value, where none does.
template <typename... Evaluations>
double first_within(const Interval& bounds, const Evaluations&... evaluations) {
  double result = 0;
  const auto accept = [&](const auto& evaluate) {
    result = evaluate();
    return within(bounds, result);
  };
  return (accept(evaluations) || ...) ? result : bounds.upper;
}

}  // namespace dropcheck::stats
