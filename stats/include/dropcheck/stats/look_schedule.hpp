#pragma once

#include <cstdint>
#include <vector>

namespace dropcheck::stats {

/// The numbers of decisions at which the counts are looked at.
///
/// Values  strictly increasing: 64, 128, 256, ... below `first`, where gross
///         defects end the run; then first, first * factor, ... rounded up;
///         last n_max. In units of decisions; callers round to whole calls.
/// Law     any list fixed in advance keeps every error rate. The factor only
///         costs decisions: 1.02 costs 1.3 %, 1.1 costs 7.5 %, 2 costs 63 %.
/// Throws  std::domain_error unless 1 <= n_max < 2^63, first >= 1 and factor >=
///         1.001.
std::vector<std::uint64_t> look_schedule(std::uint64_t n_max, double first,
                                         double factor = 1.02);

/// Decisions after which a right rate is undecided with probability <= 1e-9.
///
/// Formula ceil(180 p0 (1 - p0) / delta^2) at alpha = 1e-9; at other alpha 180
///         is scaled by the 1 - 1e-9 quantile of the certification time (137
///         at 1e-6, 165 at 1e-9, 198 at 1e-13; linear in ln(1/alpha)).
/// Law     for |p - p0| <= 0.02 delta and delta <= min(p0, 1 - p0) / 5.
/// Throws  std::domain_error unless p0 is in (0, 1), delta is positive and
///         alpha in (0, 0.5), or if the number exceeds 2^63.
std::uint64_t n_max(double p0, double delta, double alpha = 1e-9);

/// Expected decisions until a layer of rate p0 is certified: 55.7 p0 (1 - p0) /
/// delta^2 at alpha = 1e-9.
double expected_n(double p0, double delta, double alpha = 1e-9);

/// Expected decisions until a layer that is off by delta is refuted: 45.6 p0
/// (1 - p0) / delta^2 at alpha = 1e-9.
double detection_n(double p0, double delta, double alpha = 1e-9);

/// The tolerance that so many units can certify: sqrt(180 p0 (1-p0) / units).
double affordable_delta(double p0, double units);

}  // namespace dropcheck::stats
