#pragma once

#include <cstdint>

#include "dropcheck/stats/counts.hpp"

namespace dropcheck::stats {

/// ln P(X >= k) for X ~ Binomial(n, p), exact and never underflowing.
///
/// Formula P(X >= k) = I_p(k, n - k + 1), the incomplete beta function: by
///         Boost up to n = 1e4; beyond, and where Boost underflows, the
///         binomial mass at k (deviance form) times a continued fraction, or
///         Gauss quadrature of the beta density near the mean of a large n.
///         Below the mean, the other tail's complement.
/// Checked every far tail must lie between the bounds of zubkov_serov_log_upper
///         before it is returned. Where Boost's does not, our own counts; where
///         that does not either, the upper bound: a p-value, if a larger one.
/// Values  0 where k is 0; minus infinity only for the impossible (k > n, or
///         p = 0, k > 0).
/// Errors  relative 1e-12 of the probability, and 1e-12 of its logarithm in
///         the far tail; 2e-11 near n = 1e12. Below 3 microseconds at any n.
/// Throws  std::domain_error if p is outside [0, 1] or n is 2^63 or more.
/// Source  DiDonato and Morris 1992 for the fraction; Loader for the mass.
double log_upper_tail(std::uint64_t k, std::uint64_t n, double p);

/// ln P(X <= k); the mirror image of log_upper_tail.
double log_lower_tail(std::uint64_t k, std::uint64_t n, double p);

/// ln P(X = k), in the deviance form. Throws as log_upper_tail.
double log_mass(std::uint64_t k, std::uint64_t n, double p);

/// ln of the two-sided p-value: twice the smaller tail, at most 1.
///
/// Law     P(p-value <= u) <= u for every u under Binomial(n, p).
double log_two_sided_p(std::uint64_t k, std::uint64_t n, double p);

/// ln of the randomised p-value P(X > k) + u P(X = k).
///
/// Law     exactly uniform under Binomial(n, p) where u is uniform and
///         independent of k. Only this one may be compared with a uniform law;
///         a discrete p-value fails such a test although it is right.
/// Throws  as log_upper_tail; std::domain_error unless u is in [0, 1] and
///         k <= n.
double log_randomised_p(const Counts& counts, double p, double u);

/// Logarithms of two numbers that enclose P(X >= k): the check of the tails
/// above, which shares no code with the fraction, the quadrature or Boost.
///
/// Formula Phi(-G(k)) <= P(X >= k) <= Phi(-G(k - 1)), G(s) the signed root of
///         2 n KL(s/n || p); exact powers at s = 0 and s = n.
/// Throws  std::domain_error unless 1 <= k <= n < 2^63 and p is in (0, 1).
/// Source  Zubkov and Serov 2012, arXiv:1207.3838.
Interval zubkov_serov_log_upper(std::uint64_t k, std::uint64_t n, double p);

/// The smallest k with ln P(X >= k) <= log_alpha; n + 1 if there is none.
///
/// Found by bisection on the integers, and so exact wherever the tail is: no
/// quantile function of a library is inverted.
/// Throws  as log_upper_tail; std::domain_error unless log_alpha is below 0.
std::uint64_t upper_critical_count(std::uint64_t n, double p, double log_alpha);

/// The largest k with ln P(X <= k) <= log_alpha; -1 if there is none.
std::int64_t lower_critical_count(std::uint64_t n, double p, double log_alpha);

}  // namespace dropcheck::stats
