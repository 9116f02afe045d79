#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <vector>

#include "reference/masking.hpp"

namespace dropcheck::impl::reference {

/// The shape of one decision for all positions along some axes: `shape` with
/// an extent of 1 there. Throws std::invalid_argument for an axis that the
/// shape does not have.
inline Shape shared_mask_shape(const char* layer, const std::vector<int>& axes,
                               const Shape& shape) {
  Shape units = shape;
  for (const int axis : axes) {
    if (axis < 0 || axis >= static_cast<int>(shape.size())) {
      throw std::invalid_argument(
          fmt::format("{} shares axis {}, but the input has rank {} ({})",
                      layer, axis, shape.size(), to_string(shape)));
    }
    units[static_cast<std::size_t>(axis)] = 1;
  }
  return units;
}

}  // namespace dropcheck::impl::reference
