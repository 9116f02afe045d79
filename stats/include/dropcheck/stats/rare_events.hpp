#pragma once

#include <cstdint>

#include "dropcheck/stats/counts.hpp"
#include "dropcheck/stats/rate_claim.hpp"

namespace dropcheck::stats {

/// Events that a right layer never shows, or almost never: a drop at p = 0, a
/// kept unit at p = 1, a NaN. Counts::drops counts events, n trials.
struct RareClaim {
  double allowed = 0;   ///< Largest probability in a right layer; usually 0.
  double bound = 0;     ///< What is to be certified, above allowed.
  double alpha = 1e-9;  ///< Error of a certificate, and of the whole run.
  double weight = 1;    ///< Share of the run's alarm, in (0, 1].
};

/// Throws std::domain_error, naming parameter, value and rule, unless 0 <=
/// allowed < bound < 1, alpha is in (0, 0.5) and weight in (0, 1].
void validate(const RareClaim& claim);

/// The largest probability left after n trials without the event.
///
/// Formula 1 - exp(-A / n), at most A / n; 1 before the first trial. A =
///         log_inverse_alpha.
/// Law     (1 - p)^-n while the event has not been seen, 0 afterwards, is a
///         martingale: the bound holds at whichever n it is read, wrong with
///         probability at most exp(-A). One-sided; nothing after an event.
/// Throws  std::domain_error unless A is positive.
double rare_upper_bound(std::uint64_t n, double log_inverse_alpha);

/// Trials without the event that bound its probability. As many trials show
/// an event of that probability but for a chance of exp(-A).
///
/// Values  2^-24 needs 3.5e8 at A = 20.7, 3e-8 needs 6.9e8.
/// Throws  std::domain_error unless bound is in (0, 1) and A positive, or if
///         the number exceeds 2^63.
std::uint64_t trials_to_bound(double bound, double log_inverse_alpha);

/// ln of the e-value against "each trial shows the event with probability at
/// most allowed, whatever came before".
///
/// Formula mean over the p in {2^-1, ..., 2^-60} above allowed of
///         (p / allowed)^drops ((1 - p) / (1 - allowed))^(n - drops).
/// Values  plus infinity where allowed is 0 and the event was seen once: a
///         single event refutes.
/// Law     mean at most 1 at every stopping time; trials may depend on each
///         other.
/// Throws  std::domain_error if drops exceeds n or allowed is outside [0, 0.5).
double log_rare_e_value(const Counts& events, double allowed);

/// Refuted: the e-value reaches the claim's share. Certified: no event, and
/// n >= trials_to_bound(claim.bound).
///
/// Law     P(ever refuted | at most allowed) <= weight alpha, P(ever certified
///         | bound or more) <= alpha, at every look.
/// Throws  as validate; std::domain_error if drops exceeds n.
RateOutcome decide(const RareClaim& claim, const Counts& events);

}  // namespace dropcheck::stats
