#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "dropcheck/stats/rate_claim.hpp"

namespace dropcheck::stats {

/// What a rule does to layers of one true rate.
struct OperatingCharacteristics {
  double certified = 0;   ///< Probability of each verdict ...
  double refuted = 0;     ///< ...
  double undecided = 0;   ///< ... and of none at the last look.
  double expected_n = 0;  ///< Decisions drawn up to the verdict or the end.
};

/// Exact operating characteristics of a claim looked at on a fixed schedule.
///
/// Formula dynamic programming: the law of the drops among those still open,
///         convolved with a binomial law from look to look and absorbed at the
///         integers of `boundaries`.
/// Law     `rate` is the true drop probability, of independent units. At a
///         declared rate `refuted` is the false alarm, at p0 -+ delta
///         `certified` is the false pass: both are at most alpha.
/// Errors  1e-9 relative for probabilities down to 1e-15.
/// Scale   time and memory depend on n only: about 0.1 s at n = 2e5, growing
///         as n. In units of p0 (1 - p0) / delta^2 the results hardly depend on
///         delta, so compute them at a coarse one.
/// Throws  as validate; std::domain_error unless the rate is in (0, 1);
///         std::invalid_argument unless looks increase from at least 1.
OperatingCharacteristics operating_characteristics(
    const RateClaim& claim, std::span<const std::uint64_t> looks, double rate);

/// The same for any rule that decides by integers at each look.
OperatingCharacteristics operating_characteristics(
    const std::function<Boundaries(std::uint64_t n)>& boundaries_at,
    std::span<const std::uint64_t> looks, double rate);

}  // namespace dropcheck::stats
