#pragma once

#include <optional>
#include <string>

#include "context.hpp"

namespace dropcheck::properties {

/// Why results are neither the kept nor the dropped value, from how those of
/// the calibration lie to their inputs: clipped, noise instead of a mask, a
/// part of the input where it is dropped, rounded too often, the values of
/// other elements. Empty if there are none, or none of these it is.
std::optional<std::string> cause_of_misfits(const Context& context);

}  // namespace dropcheck::properties
