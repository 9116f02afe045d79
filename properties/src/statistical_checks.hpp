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

/// The claims that a battery's rate decides, each at its own look: drop_rate,
/// expectation, moments. They refer to the context.
std::vector<Decider> rate_claims(const Context& context);
std::size_t rate_claim_index(std::string_view check);

/// A unit of the statistical shape whose elements were decided differently
/// refutes granularity, whatever the small shapes showed.
void note_torn_units(std::vector<Finding>& findings, const Context& context,
                     const Tally& tally);

/// Rates and moments rest on independent units. Where units are torn or a
/// structure check is refuted or open, their certificates become inconclusive,
/// and their refutations stand only if a bet on whole rows, which assumes
/// nothing of the units, refutes them too. Granularity on other shapes does
/// not count.
void apply_structural_doubt(std::vector<Finding>& findings,
                            const StatisticalInput& input);

}  // namespace dropcheck::properties
