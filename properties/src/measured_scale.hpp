#pragma once

#include "context.hpp"

namespace dropcheck::properties {

/// Decides support where survivors are multiplied by the number of entries over
/// that of kept ones, counted in each call (drop_block).
void decide_measured_scale(Finding& finding, const Context& context);

}  // namespace dropcheck::properties
