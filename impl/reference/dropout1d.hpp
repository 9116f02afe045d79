#pragma once

#include "reference/channel_mask.hpp"
#include "reference/masked_layer.hpp"

namespace dropcheck::impl::reference {

/// Spatial dropout of sequences: a channel lives or dies as a whole.
///
/// Shape   (N, C, L) or unbatched (C, L); (N, L, C) or (L, C) with
///         channels_last.
/// Values  x / keep or 0; in place if configured.
/// Law     independent Bernoulli(keep) per channel of each sample.
/// Draws   one decision per channel, row-major.
/// Source  Tompson et al. 2015, arXiv:1411.4280; torch.nn.Dropout1d.
inline MaskRule dropout1d(const LayerConfig& config) {
  const ChannelAxes axes{.ranks = {"dropout1d", 2, 3},
                         .smallest_is_unbatched = true,
                         .channels_last = config.channels_last};
  return {.mask_shape =
              [axes](const Shape& shape) {
                return channel_mask_shape(axes, shape);
              },
          .response = inverse_keep(config)};
}

}  // namespace dropcheck::impl::reference
