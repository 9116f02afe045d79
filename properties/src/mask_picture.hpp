#pragma once

#include <string>
#include <vector>

#include "dropcheck/properties/finding.hpp"
#include "statistical_checks.hpp"

namespace dropcheck::properties {

/// Masks of the calibration calls for a refuted structure check, beside
/// independent units of the same rate. With `by_call`, each line is the head
/// of one call; else the lines are one mask, wrapped.
MaskPicture structure_picture(const StatisticalInput& input, bool by_call);

}  // namespace dropcheck::properties
