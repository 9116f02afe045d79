#pragma once

#include "reference/channel_mask.hpp"
#include "reference/masked_layer.hpp"

namespace dropcheck::impl::reference {

/// Alpha dropout of whole channels.
///
/// Shape   (N, C, ...), rank 2 or more, always batched.
/// Values  those of alpha_dropout.
/// Law     independent Bernoulli(keep) per channel of each sample.
/// Draws   one decision per channel, row-major.
/// Source  Klambauer et al. 2017, arXiv:1706.02515;
///         torch.nn.FeatureAlphaDropout.
inline MaskRule feature_alpha_dropout(const LayerConfig& config) {
  const ChannelAxes axes{.ranks = {"feature_alpha_dropout", 2},
                         .channels_last = config.channels_last};
  return {.mask_shape =
              [axes](const Shape& shape) {
                return channel_mask_shape(axes, shape);
              },
          .response = selu_preserving(config)};
}

}  // namespace dropcheck::impl::reference
