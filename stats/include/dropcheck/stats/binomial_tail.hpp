#pragma once

#include <cstdint>

#include "dropcheck/stats/counts.hpp"

namespace dropcheck::stats {

/// ln P(X >= k) for X ~ Binomial(n, p), exact and never underflowing.
///
/// Formula P(X >= k) = I_p(k, n - k + 1): the binomial mass at k (deviance
///         form) times the continued fraction of the incomplete beta function;
///         the other tail's complement where k is below the mean.
/// Values  0 where k is 0; minus infinity only for the impossible (k > n, or
///         p = 0, k > 0).
/// Errors  relative 1e-12 of the probability, 1e-11 above n = 1e9.
/// Throws  std::domain_error if p is outside [0, 1].
/// Source  DiDonato and Morris 1992 for the fraction; Loader for the mass.
double log_upper_tail(std::uint64_t k, std::uint64_t n, double p);

/// ln P(X <= k); the mirror image of log_upper_tail.
double log_lower_tail(std::uint64_t k, std::uint64_t n, double p);

/// ln of the two-sided p-value: twice the smaller tail, at most 1.
double log_two_sided_p(std::uint64_t k, std::uint64_t n, double p);

/// Logarithms of two numbers that enclose P(X >= k): a check of the tail above
/// that shares no code with it.
///
/// Formula Phi(-G(k)) <= P(X >= k) <= Phi(-G(k - 1)), G(s) the signed root of
///         2 n KL(s/n || p); exact powers at s = 0 and s = n.
/// Throws  std::domain_error unless 1 <= k <= n and p is in (0, 1).
/// Source  Zubkov and Serov 2012, arXiv:1207.3838.
Interval zubkov_serov_log_upper(std::uint64_t k, std::uint64_t n, double p);

}  // namespace dropcheck::stats
