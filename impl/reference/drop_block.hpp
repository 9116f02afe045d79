#pragma once

#include "reference/masked_layer.hpp"

namespace dropcheck::impl::reference {

/// DropBlock: blocks of a feature map, around random centres, die as a whole.
///
/// Shape   (N, C, H, W) for 2d, (N, C, D, H, W) for 3d.
/// Values  x * entries / kept entries or 0, counted over the whole mask of the
///         call; x / keep with fixed_scale, x without scale_by_keep. In place
///         if configured.
/// Law     independent Bernoulli(gamma) centres per channel (per sample with
///         shared_by_channels), wherever a whole block fits, or anywhere with
///         whole_map; gamma = p * prod extent / (block * (extent - block + 1)),
///         or p / block volume with plain_gamma. A block of even size reaches
///         one further behind its centre. Along a short axis it is as long as
///         the axis.
/// Draws   one decision per possible centre, row-major.
/// Errors  std::invalid_argument for a block size below 1.
/// Source  Ghiasi et al. 2018, arXiv:1810.12890; torchvision.ops.drop_block2d.
MaskRule drop_block2d(const LayerConfig& config);
MaskRule drop_block3d(const LayerConfig& config);

/// The blocks of one map.
struct Blocks {
  Shape extents;  ///< of the map
  Shape sizes;    ///< of a block, one per axis
  Shape first;    ///< first centre on each axis
  Shape last;     ///< last centre on each axis
  double gamma = 0;
};

/// The blocks that a configuration asks for on a map of `extents`.
Blocks blocks_of(const LayerConfig& config, const Shape& extents);

/// Drops the block around a centre, as far as it lies on the map `kept`.
void drop_block(const Blocks& blocks, const Shape& centre,
                std::span<std::uint8_t> kept);

/// Draws the centres of one map and drops their blocks. `kept` holds the map,
/// row-major, all ones before.
void drop_blocks(const Blocks& blocks, RandomStream& stream,
                 std::span<std::uint8_t> kept);

/// The extents of one map of a mask.
Shape map_extents(const Mask& mask);

/// Calls `draw(kept)` for every map of a mask, after setting it to ones.
void for_each_map(Mask& mask,
                  const std::function<void(std::span<std::uint8_t>)>& draw);

}  // namespace dropcheck::impl::reference
