#pragma once

#include <cstdint>

namespace dropcheck::stats {

/// Textbook bounds at a fixed n for the mean of values in [0, 1], kept for
/// comparison: for drops, Clopper-Pearson and the confidence sequence are
/// narrower, and only the latter may be looked at twice.
///
/// Law     all hold for any law on [0, 1] with independent values, at one n
///         fixed before the data. Each half-width w is two-sided:
///         P(|sample mean - mean| >= w) <= alpha.
/// Scale   as 1 / sqrt(n); four times the data halve the width.
/// Throws  std::domain_error unless alpha is in (0, 0.5), 1 <= n < 2^63 (2 for
///         Maurer and Pontil) and the variance is possible for such values.

/// Formula sqrt(ln(2 / alpha) / (2 n)), whatever the variance.
/// Source  Hoeffding 1963.
double hoeffding_half_width(std::uint64_t n, double alpha);

/// Formula with L = ln(2 / alpha): L / (3 n) + sqrt((L / (3 n))^2 + 2 L V / n),
///         the solution of exp(-n w^2 / (2 V + 2 w / 3)) = alpha / 2.
/// Values  V is the true variance, in [0, 1/4].
/// Source  Bernstein 1946.
double bernstein_half_width(std::uint64_t n, double variance, double alpha);

/// Formula sqrt(2 V ln(4 / alpha) / n) + 7 ln(4 / alpha) / (3 (n - 1)).
/// Values  V is the sample variance (divisor n - 1), in [0, 1/2].
/// Source  Maurer and Pontil 2009, arXiv:0907.3740.
double maurer_pontil_half_width(std::uint64_t n, double sample_variance,
                                double alpha);

/// ln of Bentkus' bound on P(sum of n values >= k) at mean p: e times the
/// binomial tail, at most 1.
///
/// Law     for integers k; values in [0, 1] of mean p each, independent.
/// Throws  as log_upper_tail.
/// Source  Bentkus 2004, Annals of Probability 32.
double log_bentkus_tail(std::uint64_t k, std::uint64_t n, double p);

}  // namespace dropcheck::stats
