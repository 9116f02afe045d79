#pragma once

#include <vector>

#include "overlap.hpp"
#include "statistical_checks.hpp"

namespace dropcheck::properties {

/// Drop bits of the units in each calibration call.
std::vector<Row> calibration_rows(const StatisticalInput& input);

}  // namespace dropcheck::properties
