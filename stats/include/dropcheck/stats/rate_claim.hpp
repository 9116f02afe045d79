#pragma once

#include <cstdint>
#include <span>

#include "dropcheck/stats/beta_binomial.hpp"
#include "dropcheck/stats/counts.hpp"

namespace dropcheck::stats {

/// "The drop probability is p0 to within delta", and how it is tested.
struct RateClaim {
  double p0;               ///< Specified drop probability, in (0, 1).
  double delta;            ///< Tolerance, at most min(p0, 1 - p0) / 5.
  Interval declared = {};  ///< What a correct layer may realise. Never a point.
  double alpha = 1e-9;     ///< Error of a certificate, and of the whole run.
  double weight = 1;       ///< Share of the run's alarm, in (0, 1].
};

/// Throws std::domain_error, naming parameter, value and rule, where the claim
/// cannot be decided: alpha in (0, 0.5), weight in (0, 1], declared in [0, 1].
void validate(const RateClaim& claim);

enum class RateOutcome { kUndecided, kCertified, kRefuted };

/// What the counts say, by one martingale M around p0 with recommended kappa.
///
/// Formula A = ln(1 / alpha) + 1e-6, phat = drops / n.
///         Refuted: phat above declared and ln M(declared.upper) >= A +
///         ln(1 / weight), or the mirror image. Tried first.
///         Certified: phat inside p0 -+ delta, ln M(p0 - delta) >= A and
///         ln M(p0 + delta) >= A.
/// Law     at every look, given independent units: P(ever certified | the rate
///         is off by delta or more) <= alpha; P(ever refuted | the rate is
///         declared) <= weight alpha.
/// Throws  as validate; std::domain_error if drops exceeds n.
RateOutcome decide(const RateClaim& claim, const Counts& counts);

/// ln of the e-value against the whole declared set.
///
/// Formula min over p in declared of ln M(p): M is convex in p with its
///         minimum at phat, so this is M at phat clamped to declared. It may
///         be negative. Infinite where declared makes the data impossible.
double log_e_value(const RateClaim& claim, const Counts& counts);

/// The same rule for a property that holds for the drop rates in a union of
/// intervals, such as a mean or a variance: the prior is fixed before the data.
///
/// ln of the e-value against "the rate is in one of them".
///
/// Formula min over the intervals of ln M at their point nearest to phat.
/// Values  plus infinity where there is no interval; 0 without data.
/// Law     mean at most 1 at every rate in them, at every stopping time.
/// Throws  std::domain_error if drops exceeds n, an interval is not within
///         [0, 1] or the prior is not positive.
double log_e_outside(std::span<const Interval> null_rates, const Counts& counts,
                     const BetaPrior& prior);

/// Whether phat and the confidence sequence at alpha lie inside one interval.
/// An end at 0 or 1 is no limit and needs not be excluded.
///
/// Law     P(ever true | the rate is in none of them) <= alpha.
/// Throws  as log_e_outside; std::domain_error unless alpha is in (0, 0.5).
bool certified_inside(std::span<const Interval> rates, const Counts& counts,
                      const BetaPrior& prior, double alpha);

/// The verdicts at one n as integers, so that machines agree bit for bit.
struct Boundaries {
  std::int64_t certify_first;    ///< Certified from here ...
  std::int64_t certify_last;     ///< ... to here; empty if first > last.
  std::int64_t refute_at_most;   ///< Refuted at or below; -1 if never.
  std::int64_t refute_at_least;  ///< Refuted at or above; n + 1 if never.
};

/// The integers that decide() realises at n, found by bisection. Refutation
/// comes first where both hold.
Boundaries boundaries(const RateClaim& claim, std::uint64_t n);

}  // namespace dropcheck::stats
