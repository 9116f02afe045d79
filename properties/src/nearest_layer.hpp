#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dropcheck/properties/identify.hpp"
#include "probe.hpp"

namespace dropcheck::properties {

/// The known laws by how much tells the layer from them, nearest first, each
/// with the options that fit best. `main`: what was read at `found.rank`.
std::vector<NearestLayer> nearest_layers(const Identification& found,
                                         const Probe& main);

}  // namespace dropcheck::properties
