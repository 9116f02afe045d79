#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "dropcheck/stats/rate_claim.hpp"

namespace dropcheck::stats {

/// A way to decide a rate claim: looks, and the verdicts at each as integers.
struct Rule {
  std::vector<std::uint64_t> looks;
  std::function<Boundaries(std::uint64_t n)> boundaries_at;
};

/// What is shipped: decide() at the looks of look_schedule.
Rule shipped(const RateClaim& claim);

/// The same where decisions come in calls of that many units, and looks fall
/// at whole calls.
Rule shipped_by_calls(const RateClaim& claim, std::uint64_t units_per_call);

/// The same martingale with a flat prior, Beta(1, 1): Robbins 1970, Lai 1976.
Rule robbins_lai(const RateClaim& claim);

/// Wilson's interval at every look, at the level of one look: what testing
/// libraries do. Its error is not the nominal one.
Rule wilson_with_looks(const RateClaim& claim);

/// The n at which two exact one-sided tests certify p0 but for a chance of
/// alpha: the price of a fixed n.
std::uint64_t tost_n(const RateClaim& claim);

}  // namespace dropcheck::stats
