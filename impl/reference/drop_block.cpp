#include "reference/drop_block.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <stdexcept>

#include "fast/blocks.hpp"

namespace dropcheck::impl::reference {
namespace {

/// One loop an axis.
void drop_from(const Blocks& blocks, const Shape& centre, std::size_t axis,
               std::int64_t offset, std::span<std::uint8_t> kept) {
  if (axis == blocks.extents.size()) {
    kept[static_cast<std::size_t>(offset)] = 0;
    return;
  }
  const std::int64_t extent = blocks.extents[axis];
  const std::int64_t begin = centre[axis] - (blocks.sizes[axis] - 1) / 2;
  const std::int64_t end = std::min(begin + blocks.sizes[axis], extent);
  for (std::int64_t i = std::max<std::int64_t>(begin, 0); i < end; ++i) {
    drop_from(blocks, centre, axis + 1, offset * extent + i, kept);
  }
}

/// Centres along each axis.
Shape centre_extents(const Blocks& blocks) {
  Shape extents = blocks.first;
  for (std::size_t axis = 0; axis < extents.size(); ++axis) {
    extents[axis] = blocks.last[axis] - blocks.first[axis] + 1;
  }
  return extents;
}

/// The centre of a number, row-major.
Shape centre_of(const Blocks& blocks, const Shape& extents,
                std::int64_t index) {
  Shape centre = blocks.first;
  for (std::size_t axis = extents.size(); axis-- > 0;) {
    centre[axis] += index % extents[axis];
    index /= extents[axis];
  }
  return centre;
}

MaskRule rule_of(const char* layer, std::size_t rank,
                 const LayerConfig& config) {
  if (config.block.size < 1) {
    throw std::invalid_argument(fmt::format(
        "block size is {}, but must be at least 1", config.block.size));
  }
  const auto mask_shape = [layer, rank, config](const Shape& shape) {
    require_rank({layer, rank, rank}, shape);
    Shape units = shape;
    if (config.block.shared_by_channels) units[1] = 1;
    return units;
  };
  const auto draw = [config](RandomStream& stream, Mask& mask) {
    const Blocks blocks = blocks_of(config, map_extents(mask));
    for_each_map(mask, [&](std::span<std::uint8_t> kept) {
      drop_blocks(blocks, stream, kept);
    });
  };
  const auto draw_bits = [config](RandomStream& stream, const Shape& mask,
                                  std::uint64_t* kept) {
    const Shape extents(mask.begin() + 2, mask.end());
    fast::drop_blocks(blocks_of(config, extents),
                      static_cast<std::size_t>(mask[0] * mask[1]), stream,
                      kept);
  };
  return {.mask_shape = mask_shape,
          .response = inverse_keep(config),
          .draw = draw,
          .draw_bits = draw_bits,
          .measures_scale = config.scale_by_keep && !config.block.fixed_scale};
}

}  // namespace

Blocks blocks_of(const LayerConfig& config, const Shape& extents) {
  Blocks blocks;
  blocks.extents = extents;
  blocks.gamma = config.drop_probability;
  for (const std::int64_t extent : extents) {
    const std::int64_t size = std::min(config.block.size, extent);
    const std::int64_t before = (size - 1) / 2;
    const std::int64_t fitting = extent - size + 1;
    blocks.sizes.push_back(size);
    blocks.first.push_back(config.block.whole_map ? 0 : before);
    blocks.last.push_back(blocks.first.back() - 1 +
                          (config.block.whole_map ? extent : fitting));
    if (extent == 0) continue;
    blocks.gamma /= static_cast<double>(size);
    if (config.block.plain_gamma) continue;
    blocks.gamma *= static_cast<double>(extent) / static_cast<double>(fitting);
  }
  blocks.gamma = std::min(blocks.gamma, 1.0);  // Rounded up at p = 1.
  return blocks;
}

void drop_block(const Blocks& blocks, const Shape& centre,
                std::span<std::uint8_t> kept) {
  drop_from(blocks, centre, 0, 0, kept);
}

void drop_blocks(const Blocks& blocks, RandomStream& stream,
                 std::span<std::uint8_t> kept) {
  const auto probability = Probability::from_drop(blocks.gamma);
  const Shape extents = centre_extents(blocks);
  const std::int64_t centres = element_count(extents);
  std::array<std::uint64_t, 64> words;
  constexpr std::int64_t kAtATime = 64 * 64;
  for (std::int64_t done = 0; done < centres; done += kAtATime) {
    const std::int64_t count = std::min(kAtATime, centres - done);
    stream.decide(probability, static_cast<std::size_t>(count), words.data());
    for (std::int64_t i = 0; i < count; i += 64) {
      // Past the end nothing is kept, and nothing is dropped.
      const std::uint64_t past =
          count - i < 64 ? ~std::uint64_t{0} << (count - i) : 0;
      std::uint64_t dropped = ~(words[static_cast<std::size_t>(i / 64)] | past);
      for (; dropped != 0; dropped &= dropped - 1) {
        const std::int64_t index = done + i + std::countr_zero(dropped);
        drop_block(blocks, centre_of(blocks, extents, index), kept);
      }
    }
  }
}

Shape map_extents(const Mask& mask) {
  return {mask.shape.begin() + 2, mask.shape.end()};
}

void for_each_map(Mask& mask,
                  const std::function<void(std::span<std::uint8_t>)>& draw) {
  mask.kept.assign(static_cast<std::size_t>(element_count(mask.shape)), 1);
  const auto size = static_cast<std::size_t>(element_count(map_extents(mask)));
  if (size == 0) return;
  for (std::size_t i = 0; i < mask.kept.size(); i += size) {
    draw(std::span(mask.kept).subspan(i, size));
  }
}

MaskRule drop_block2d(const LayerConfig& config) {
  return rule_of("drop_block2d", 4, config);
}

MaskRule drop_block3d(const LayerConfig& config) {
  return rule_of("drop_block3d", 5, config);
}

}  // namespace dropcheck::impl::reference
