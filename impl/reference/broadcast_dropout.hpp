#pragma once

#include <fmt/format.h>

#include <stdexcept>

#include "reference/masked_layer.hpp"

namespace dropcheck::impl::reference {

/// Dropout whose decisions are shared along `shared_axes` (noise_shape in
/// Keras, broadcast_dims in Flax).
///
/// Shape   any that has the shared axes, which count from 0.
/// Values  x / keep or 0.
/// Law     independent Bernoulli(keep) per position on the other axes.
/// Draws   one 64-bit word per such position, row-major.
/// Source  flax.linen.Dropout.
inline MaskRule broadcast_dropout(const LayerConfig& config) {
  const auto one_along = [axes = config.shared_axes](const Shape& shape) {
    Shape units = shape;
    for (const int axis : axes) {
      if (axis < 0 || axis >= static_cast<int>(shape.size())) {
        throw std::invalid_argument(fmt::format(
            "broadcast_dropout shares axis {}, but the input has rank {} ({})",
            axis, shape.size(), to_string(shape)));
      }
      units[static_cast<std::size_t>(axis)] = 1;
    }
    return units;
  };
  return {.mask_shape = one_along, .response = inverse_keep(config)};
}

}  // namespace dropcheck::impl::reference
