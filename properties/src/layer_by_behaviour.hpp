#pragma once

#include <string_view>
#include <vector>

#include "dropcheck/impl/law.hpp"

namespace dropcheck::properties {

/// What a layer was seen to do on one shape.
struct Behaviour {
  impl::Shape shape;
  std::vector<bool> shared;  ///< for each axis
  double slope = 1;
  double offset = 0;
  double dropped = 0;
};

/// A law, with no option set and other than `law`, that has these units and
/// values at the configuration's drop probability; empty if there is none.
std::string_view layer_that_does(const Behaviour& seen, const impl::Law& law,
                                 const impl::LayerConfig& config);

}  // namespace dropcheck::properties
