#pragma once

#include <cstdint>
#include <map>
#include <span>

#include "dropcheck/stats/counts.hpp"

namespace dropcheck::stats {

/// ln of the capital after betting `lambda` on every value against mean m.
///
/// Formula sum_i ln(1 + lambda (y_i - m)).
/// Values  minus infinity where a bet lost everything.
/// Throws  std::domain_error where a factor would be negative.
double log_betting_capital(std::span<const double> values, double m,
                           double lambda);

/// Tests the mean of bounded values by betting, without any law for them.
///
/// Values  y in [lower, upper]. The k-th bet on a mean above m multiplies the
///         capital by 1 + c (y - m) / (m - lower), with c on the fixed grid
///         15/16 * 2^-k, k = 0..15, each with a sixteenth of the capital; the
///         mirror image on a mean below. Half the capital on each side.
/// Law     the capital is a nonnegative martingale if each value has
///         conditional mean m given those before; nothing else is assumed. In
///         particular y may be the dropped fraction of a call whose units
///         depend on each other.
/// Merge   bets are constants, so the order of values is irrelevant and the
///         capital is a function of how often each value occurred.
/// Source  Waudby-Smith and Ramdas 2023, arXiv:2010.09686.
class BettingMean {
 public:
  /// Throws std::domain_error unless lower < upper.
  explicit BettingMean(Interval range = {});

  /// Throws std::domain_error if y is outside the range.
  void add(double y);

  std::uint64_t n() const { return n_; }

  /// ln of the e-value against every mean in null_mean.
  ///
  /// Formula ln (K+(null_mean.upper) + K-(null_mean.lower)) / 2.
  /// Throws  std::domain_error unless null_mean lies within the range.
  double log_e_value(Interval null_mean) const;

  /// The means not excluded by either side: ln K+ and ln K- < A + ln 2.
  ///
  /// Both are monotone in m, so endpoints come from bisection and round
  /// outwards. Covers at all times with probability at least 1 - exp(-A).
  Interval confidence_sequence(double log_inverse_alpha) const;

 private:
  double log_capital_above(double m) const;
  double log_capital_below(double m) const;

  Interval range_;
  std::uint64_t n_ = 0;
  std::map<double, std::uint64_t> values_;
};

}  // namespace dropcheck::stats
