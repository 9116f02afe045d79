#pragma once

#include "reference/channel_mask.hpp"
#include "reference/masked_layer.hpp"

namespace dropcheck::impl::reference {

/// Spatial dropout of images: a channel lives or dies as a whole.
///
/// Shape   (N, C, H, W), or (N, C, L): rank 3 is a batch of sequences, not an
///         unbatched image, as PyTorch documents. The channel is the last axis
///         with channels_last.
/// Values  x / keep or 0; in place if configured.
/// Law     independent Bernoulli(keep) per channel of each sample.
/// Draws   one decision per channel, row-major.
/// Source  Tompson et al. 2015, arXiv:1411.4280; torch.nn.Dropout2d.
inline MaskRule dropout2d(const LayerConfig& config) {
  const ChannelAxes axes{.ranks = {"dropout2d", 3, 4},
                         .channels_last = config.channels_last};
  return {.mask_shape =
              [axes](const Shape& shape) {
                return channel_mask_shape(axes, shape);
              },
          .response = inverse_keep(config)};
}

}  // namespace dropcheck::impl::reference
