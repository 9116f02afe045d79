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

/// A unit of the statistical shape whose elements were decided differently
/// refutes granularity, whatever the small shapes showed.
void note_torn_units(std::vector<Finding>& findings, const Context& context,
                     const Tally& tally);

/// Rates and moments rest on independent units: where units are torn or a
/// structure check is refuted or open, a certificate among `findings` becomes
/// inconclusive. Granularity on other shapes does not count.
void withdraw_certificates(std::vector<Finding>& findings, bool torn);

}  // namespace dropcheck::properties
