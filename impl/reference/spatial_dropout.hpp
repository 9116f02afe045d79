#pragma once

#include "reference/channel_mask.hpp"
#include "reference/masked_layer.hpp"

namespace dropcheck::impl::reference {

/// Spatial dropout in either data format: a channel lives or dies as a whole.
///
/// Shape   (N, C, ...) with one to three spatial axes, always batched; the
///         channel is the last axis with channels_last, Keras' default.
/// Values  x / keep or 0.
/// Law     independent Bernoulli(keep) per channel of each sample.
/// Draws   one decision per channel, row-major.
/// Source  Tompson et al. 2015, arXiv:1411.4280; keras.layers.SpatialDropout2D.
inline MaskRule spatial_dropout(const LayerConfig& config) {
  const ChannelAxes axes{.ranks = {"spatial_dropout", 3, 5},
                         .channels_last = config.channels_last};
  return {.mask_shape =
              [axes](const Shape& shape) {
                return channel_mask_shape(axes, shape);
              },
          .response = inverse_keep(config)};
}

}  // namespace dropcheck::impl::reference
