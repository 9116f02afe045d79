#pragma once

#include <cstdint>

#include "dropcheck/stats/counts.hpp"

namespace dropcheck::stats {

/// Two one-sided tests at a fixed n, with exact tails: the reference against
/// which the sequential decision is measured, and a last look at a hard cap.
struct Tost {
  double p0;            ///< Specified drop probability, in (0, 1).
  double delta;         ///< Tolerance, at most min(p0, 1 - p0).
  double alpha = 1e-9;  ///< Error of each side, hence of the certificate.
};

/// The counts that certify; none if first > last.
struct TostRegion {
  std::int64_t first;
  std::int64_t last;
};

/// The certifying counts at n.
///
/// Formula first = min { k : P(X >= k | p0 - delta) <= alpha },
///         last  = max { k : P(X <= k | p0 + delta) <= alpha }.
/// Law     P(certified | |p - p0| >= delta) <= alpha.
/// Throws  std::domain_error unless p0 -+ delta lies in [0, 1], delta > 0 and
///         alpha is in (0, 0.5), and n is below 2^63.
/// Source  Schuirmann 1987.
TostRegion tost_region(const Tost& test, std::uint64_t n);

/// ln P(not certified at n | the rate is p0): the false-negative side.
double tost_log_miss(const Tost& test, std::uint64_t n);

/// A number of decisions at which a right rate is missed with probability at
/// most beta, although it is more at one decision less.
///
/// The law is discrete, so the probability is a saw: a few such numbers lie
/// within about 1e-3 of each other. Bisection finds the same one every time.
/// Scale   n = (z_alpha + z_(beta / 2))^2 p0 (1 - p0) / delta^2, 146.6 times
///         p0 (1 - p0) / delta^2 at 1e-9 each: 3.5 times the Wald bound.
/// Throws  as tost_region; std::domain_error unless beta is in (0, 0.5) and the
///         number is below 2^62.
std::uint64_t tost_sample_size(const Tost& test, double beta);

/// ln of the likelihood ratio of p1 to p0.
///
/// Formula S log1p(d / p0) + (n - S) log1p(-d / (1 - p0)), d = p1 - p0.
/// Throws  std::domain_error unless both are in (0, 1).
/// Source  Wald 1945.
double log_likelihood_ratio(const Counts& counts, double p0, double p1);

/// Where Wald's sequential test stops: accepts p1 at or above `accept_p1`, p0
/// at or below `accept_p0`, on the log likelihood ratio.
struct SprtThresholds {
  double accept_p1;
  double accept_p0;
};

/// Formula ln((1 - beta) / alpha) and -ln((1 - alpha) / beta).
/// Throws  std::domain_error unless alpha and beta are in (0, 0.5).
SprtThresholds sprt_thresholds(double alpha, double beta);

}  // namespace dropcheck::stats
