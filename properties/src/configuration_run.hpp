#pragma once

#include <vector>

#include "dropcheck/properties/finding.hpp"
#include "dropcheck/properties/plan.hpp"
#include "sampler.hpp"

namespace dropcheck::properties {

/// Runs the checks of one configuration and returns what they find, in the
/// order of the catalogue. What the subject does wrong is a finding.
std::vector<Finding> run_configuration(const Settings& settings,
                                       const PlannedConfiguration& planned,
                                       SubjectPool& pool,
                                       const Progress& progress);

}  // namespace dropcheck::properties
