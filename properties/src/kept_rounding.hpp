#pragma once

#include "dropcheck/properties/identify.hpp"
#include "probe.hpp"

namespace dropcheck::properties {

/// Finds the rounding of the scale that gives every kept value of `main`, and
/// sets `rounding`, `slope` and `offset` of what was found by it. Does nothing
/// where there is no slope, or no known law.
void find_rounding(Identification& found, const Probe& main);

}  // namespace dropcheck::properties
