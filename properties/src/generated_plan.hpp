#pragma once

#include <string>

#include "dropcheck/properties/config_source.hpp"
#include "dropcheck/properties/plan.hpp"
#include "plan_sizes.hpp"

namespace dropcheck::properties {

struct CheckDefinition;

/// What one generated configuration may cost: milliseconds.
Budget generated_budget();

/// Cases for one subject, by a key of the run's seed and the subject's name.
/// Fewer for networks, which cost more.
std::vector<DrawnCase> generated_cases(const PlannedSubject& subject,
                                       const Settings& settings,
                                       const ConfigSource& source);

/// Why no value and no mask can be read, before any data: empty if they can.
/// Needs law, config and shape.
std::string unreadable(const PlannedConfiguration& planned);

/// Why no check can decide that needs a rate, where there is none.
std::string no_decisions(const PlannedConfiguration& planned);

/// Sizes for a configuration whose rate cannot be decided: a few calls, for
/// the checks of values.
void plan_values_only(PlannedConfiguration& planned);

/// Why a generated configuration leaves the check out; empty: it does not.
/// `first`: it is the first of its subject.
std::string left_out_because(const PlannedConfiguration& planned,
                             const CheckDefinition& check, bool first);

/// Takes out the checks whose plan says that they cannot decide or would draw
/// more than a generated configuration may.
void take_out_undecidable(PlannedConfiguration& planned);

}  // namespace dropcheck::properties
