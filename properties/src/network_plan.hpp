#pragma once

#include <cstdint>
#include <vector>

#include "dropcheck/properties/plan.hpp"
#include "dropcheck/stats/beta_binomial.hpp"
#include "dropcheck/stats/counts.hpp"

namespace dropcheck::properties {

/// Fixes sizes of a configuration of a network, as plan_sizes does for layers.
/// Networks have few decisions a call: each gets what its profile affords, and
/// the tolerance that follows, whatever was asked for.
void plan_network_sizes(PlannedConfiguration& planned,
                        const Settings& settings);

/// What is fixed about a network before the first call.
struct NetworkPlan {
  impl::NetworkLaw law;
  std::int64_t units = 0;      ///< decisions of a tap in a call
  std::int64_t unit_size = 1;  ///< elements that share one
  std::int64_t calls_per_block = 1;
  std::uint64_t blocks = 0;            ///< of calls, in all
  std::vector<double> rates;           ///< promised, one a tap
  std::vector<std::size_t> lags;       ///< between units of one call
  std::vector<std::size_t> call_lags;  ///< between calls
  std::vector<std::size_t> depths;     ///< taps whose moments are observed

  double tap_n() const {
    return static_cast<double>(units * calls_per_block) *
           static_cast<double>(blocks);
  }
  double block_n() const {
    return tap_n() * static_cast<double>(law.branches.size());
  }
};

NetworkPlan make_network_plan(const PlannedConfiguration& planned);

/// The prior on the rate of n decisions that are promised to drop at `rate`,
/// which may be 0 or 1.
stats::BetaPrior promised_prior(double rate, double n);

/// How far the confidence sequence at exp(-level) may reach from the promised
/// rate after n decisions, but for a chance of 2e-10.
double certified_distance(double rate, double n, double level);

}  // namespace dropcheck::properties
