#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "dropcheck/stats/counts.hpp"
#include "dropcheck/stats/rate_claim.hpp"

namespace dropcheck::stats {

/// Decides a rate claim from the dropped fraction of whole calls, by betting.
///
/// Law     assumes only that the fraction X of each call has the same
///         conditional mean, given the calls before: units of one call may
///         depend in any way, and calls may through anything but their mean.
/// Formula K+(m) = sum_j w_j prod_calls (1 + min(b_j, c / m) (X - m)), a bet on
///         a mean above m, with c = 15/16; K-(m) mirrored. Half the weight
///         lies on b = delta units / (p0 (1 - p0)), which is best for
///         independent units; the other half on that times powers of two, from
///         delta / (p0 (1 - p0)), best for calls that live or die as a whole,
///         up to the cap.
///         Refuted: (K+(declared.upper) + K-(declared.lower)) / 2 >=
///         1 / (weight alpha). Certified: K+(p0 - delta) and K-(p0 + delta)
///         both >= 1 / alpha. Thresholds and order as in rate_claim.hpp.
/// Errors  at every call, P(ever certified | the mean is off by delta or more)
///         <= alpha, P(ever refuted | the mean is declared) <= weight alpha.
/// Merge   exact, in any order: bets are constants, the state is how often
///         each fraction occurred.
/// Cost    of an evaluation: 0.1 microseconds a distinct fraction.
/// Source  Waudby-Smith and Ramdas 2023, arXiv:2010.09686.
class RobustRate {
 public:
  /// units_per_call, at least 1, chooses the bets only: a wrong number costs
  /// calls, never validity. Throws as validate(claim), and std::domain_error
  /// for units_per_call.
  RobustRate(const RateClaim& claim, double units_per_call);

  /// Adds `times` calls with these drops. Throws std::domain_error if drops
  /// exceeds n or n is 0.
  void add(const Counts& call, std::uint64_t times = 1);

  /// Throws std::domain_error if the other decides another claim.
  void merge(const RobustRate& other);

  std::uint64_t calls() const { return calls_; }

  RateOutcome decide() const;

  /// ln of the e-value against every mean in claim.declared.
  double log_e_value() const;

  /// The means not excluded: ln K+ and ln K- < A + ln 2. Both are monotone in
  /// m, so endpoints come from bisection and round outwards. Covers at all
  /// calls with probability at least 1 - exp(-A).
  Interval confidence_sequence(double log_inverse_alpha) const;

 private:
  struct Bet {
    double size;
    double log_weight;
  };
  enum class Side { kAbove, kBelow };
  double log_capital(Side side, double m) const;

  RateClaim claim_;
  double units_per_call_;
  std::vector<Bet> bets_;
  std::uint64_t calls_ = 0;
  std::map<double, std::uint64_t> fractions_;
};

/// Expected calls until RobustRate certifies a layer of mean p0, or refutes one
/// that is off by delta to the side where that takes longer.
///
/// Formula a bet b against a mean delta away, b = min(delta / v, c / room) with
///         v = p0 (1 - p0) / independent, wins b delta - b^2 (v + delta^2) / 2
///         a call. Room is what a call can lose: m for a bet on a mean above
///         m, 1 - m for one below. Detection needs ln(1 / alpha) +
///         ln(1 / weight) + 2 ln 2; certification ln(1 / alpha) + ln 2 on both
///         sides, whose noise is opposite, and the mean of the later counts.
/// Values  independent is the number of independent decisions in a call: its
///         units, or fewer where they depend on each other. A cap on bets
///         leaves at least ln(1 / alpha) max(p0, 1 - p0) / delta calls,
///         however many units each has.
/// Errors  5 % against simulation (METHODS.md).
/// Throws  as RobustRate.
double robust_certification_calls(const RateClaim& claim, double independent);
double robust_detection_calls(const RateClaim& claim, double independent);

}  // namespace dropcheck::stats
