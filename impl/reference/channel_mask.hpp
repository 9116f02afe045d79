#pragma once

#include "reference/masking.hpp"

namespace dropcheck::impl::reference {

/// How a layer that drops channels reads the axes of its input.
struct ChannelAxes {
  RankRule ranks;
  /// The smallest rank is (C, ...), without a batch axis.
  bool smallest_is_unbatched = false;
  /// The channel is the last axis, not the one after the batch.
  bool channels_last = false;
};

/// The shape of one decision per channel of each sample: `shape` with an
/// extent of 1 on every axis but batch and channel.
inline Shape channel_mask_shape(const ChannelAxes& axes, const Shape& shape) {
  require_rank(axes.ranks, shape);
  const bool batched =
      !axes.smallest_is_unbatched || shape.size() != axes.ranks.minimum;
  const std::size_t first = batched ? 1 : 0;
  const std::size_t channel = axes.channels_last ? shape.size() - 1 : first;
  Shape units(shape.size(), 1);
  if (batched) units[0] = shape[0];
  units[channel] = shape[channel];
  return units;
}

}  // namespace dropcheck::impl::reference
