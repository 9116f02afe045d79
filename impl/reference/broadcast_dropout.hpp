#pragma once

#include "reference/masked_layer.hpp"
#include "reference/shared_mask.hpp"

namespace dropcheck::impl::reference {

/// Dropout whose decisions are shared along `shared_axes` (noise_shape in
/// Keras, broadcast_dims in Flax).
///
/// Shape   any that has the shared axes, which count from 0.
/// Values  x / keep or 0.
/// Law     independent Bernoulli(keep) per position on the other axes.
/// Draws   one decision per such position, row-major.
/// Source  flax.linen.Dropout.
inline MaskRule broadcast_dropout(const LayerConfig& config) {
  return {.mask_shape =
              [axes = config.shared_axes](const Shape& shape) {
                return shared_mask_shape("broadcast_dropout", axes, shape);
              },
          .response = inverse_keep(config)};
}

}  // namespace dropcheck::impl::reference
