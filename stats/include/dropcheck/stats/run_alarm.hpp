#pragma once

#include <cstdint>
#include <span>

namespace dropcheck::stats {

/// Added to every threshold on a log e-value, so that the last bits of a
/// logarithm never decide. Costs a factor 1 + 1e-6 in alpha.
inline constexpr double kLogGuard = 1e-6;

/// The log e-value at which a claim of that weight is refuted:
/// ln(1 / alpha) + ln(1 / weight) + kLogGuard.
///
/// Throws  std::domain_error unless alpha is in (0, 0.5), weight in (0, 1].
double refutation_threshold(double alpha, double weight);

/// Share of the alarm budget for number `index` = 1, 2, ... of claims whose
/// number is not known in advance: 1 / (index (index + 1)). The shares of all
/// sum to 1, those from `index` on to 1 / index.
///
/// Throws  std::domain_error for index 0.
double open_ended_share(std::uint64_t index);

/// One claim's evidence, frozen at its own stopping look.
struct WeightedEvidence {
  double log_e;   ///< ln of its e-value; minus infinity is an e-value of 0.
  double weight;  ///< Its share of the run, in (0, 1], fixed before the data.
};

/// ln of the run's e-value, the weighted mean of all e-values.
///
/// Formula ln sum_i w_i E_i. A run without evidence has e-value 0.
/// Law     mean at most 1 when every claim holds, whatever the dependence
///         between claims and wherever each stopped. Stopped values only:
///         running maxima void it.
/// Throws  std::domain_error if a weight is outside (0, 1], the weights sum to
///         more than 1 + 1e-12, or a log e-value is NaN.
/// Source  Vovk and Wang 2021, arXiv:1912.06116.
double log_run_e_value(std::span<const WeightedEvidence> evidence);

/// Whether one claim is refuted at its own share: family-wise error alpha.
///
/// Throws  as refutation_threshold; std::domain_error if log_e is NaN.
bool claim_refuted(double log_e, double weight, double alpha);

/// Whether the run as a whole alarms: E_run >= 1 / alpha.
bool run_alarms(std::span<const WeightedEvidence> evidence, double alpha);

}  // namespace dropcheck::stats
