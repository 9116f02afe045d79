#pragma once

#include <string>

#include "check_definition.hpp"
#include "dropcheck/properties/config_source.hpp"
#include "dropcheck/properties/plan.hpp"
#include "dropcheck/properties/verify.hpp"

namespace dropcheck::properties {

/// A configuration to plan, and what it is among those of its subject.
struct Candidate {
  impl::LayerConfig config;
  bool first_probability = false;
  bool first_dtype = false;
  bool plain = false;  ///< no variant
  bool generated = false;
  bool first_generated = false;  ///< of its subject
};

/// Sizes and checks, without shared weights. `shape` is null where the law
/// chooses. Throws std::invalid_argument where the law has no meaning for it,
/// std::domain_error for a tolerance that cannot be kept.
PlannedConfiguration plan_configuration(const PlannedSubject& subject,
                                        const Candidate& candidate,
                                        const impl::Shape* shape,
                                        const Settings& settings);

/// What each check detects, once the weights are known. Of a generated
/// configuration, takes out those that cannot decide.
void describe_detection(PlannedConfiguration& planned,
                        const Settings& settings);

/// Fixes what a token says, for one check and those that it rests on. Throws
/// as plan_configuration, and std::invalid_argument where the check has no
/// meaning.
PlannedConfiguration plan_token(const ReplayToken& token,
                                const PlannedSubject& subject,
                                const Settings& settings);

/// The settings of the run that a token repeats.
Settings settings_of(const ReplayToken& token);

}  // namespace dropcheck::properties
