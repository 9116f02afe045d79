#pragma once

#include <span>
#include <vector>

namespace dropcheck::stats {

/// Several p-values as one, and p-values as e-values: for classical tests that
/// have no e-value of their own. Runs are decided by run_alarm.hpp instead,
/// which needs no assumption and loses less.
///
/// Values  natural logarithms throughout, in [-infinity, 0], so that no small
///         p-value is lost; results are at most 0 too.
/// Throws  std::invalid_argument if there is no p-value; std::domain_error if
///         one is above 1 (its logarithm above 0) or NaN.

/// ln min(1, m min p), for any dependence. Source  Bonferroni 1936.
double log_bonferroni(std::span<const double> log_p);

/// Adjusted p-values in the order given, for any dependence.
///
/// Formula the k-th smallest times m - k + 1, at least its predecessor.
/// Law     rejecting all below alpha errs anywhere with probability <= alpha.
/// Source  Holm 1979.
std::vector<double> log_holm(std::span<const double> log_p);

/// ln P(chi-square with 2 m degrees >= -2 sum of ln p).
///
/// Valid   for independent p-values only; conservative where they are discrete.
/// Source  Fisher 1932.
double log_fisher(std::span<const double> log_p);

/// ln min(1, e ln m times the harmonic mean), for any dependence.
///
/// Without the factor the harmonic mean is no p-value. For m = 2 the factor is
/// 2, for which Bonferroni is a bound.
/// Source  Vovk and Wang 2020, Biometrika 107, arXiv:1212.4966.
double log_harmonic_mean(std::span<const double> log_p);

/// ln of the e-value kappa p^(kappa - 1).
///
/// An e-value of 1e9 needs p = 1.4e-11 at kappa = 0.05: a fifth more data than
/// a native e-value.
/// Throws  also std::domain_error unless kappa is in (0, 1).
/// Source  Vovk and Wang 2021, arXiv:1912.06116.
double log_calibrated_e(double log_p, double kappa);

/// ln of the e-value (1 - p + p ln p) / (p ln(p)^2), the mean of the former
/// over kappa: nothing to choose. One half at p = 1.
double log_calibrated_e(double log_p);

}  // namespace dropcheck::stats
