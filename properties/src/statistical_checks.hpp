#pragma once

#include <vector>

#include "battery.hpp"
#include "context.hpp"

namespace dropcheck::properties {

/// What the statistical checks read: one battery of one configuration.
struct StatisticalInput {
  const Context& context;
  const Sampler& sampler;
  const BatteryResult& battery;
};

/// The claim on the drop rate of a configuration.
stats::RateClaim rate_claim(const Context& context);

Finding check_support(const StatisticalInput& input);
Finding check_drop_rate(const StatisticalInput& input);
Finding check_expectation(const StatisticalInput& input);
Finding check_moments(const StatisticalInput& input);
Finding check_unit_counts(const StatisticalInput& input);
Finding check_homogeneity(const StatisticalInput& input);
Finding check_independence_within(const StatisticalInput& input);
Finding check_independence_calls(const StatisticalInput& input);

/// Rates and moments rest on independent units: where a structure check is
/// refuted or open, a certificate among `findings` becomes inconclusive.
void withdraw_certificates(std::vector<Finding>& findings);

}  // namespace dropcheck::properties
