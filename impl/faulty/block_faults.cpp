#include "faulty/draws.hpp"
#include "reference/drop_block.hpp"

namespace dropcheck::impl::faulty {
namespace {

using reference::Blocks;

/// A fault that draws other blocks than those asked for.
Fault blocks_changed(void (*change)(const Draw&, Blocks&)) {
  return {.draw = [change](const Draw& draw) {
    Blocks blocks =
        reference::blocks_of(draw.config, reference::map_extents(draw.mask));
    change(draw, blocks);
    reference::for_each_map(draw.mask, [&](std::span<std::uint8_t> kept) {
      reference::drop_blocks(blocks, draw.stream, kept);
    });
  }};
}

double volume(const Shape& sizes) {
  double product = 1;
  for (const std::int64_t size : sizes) product *= static_cast<double>(size);
  return product;
}

void without_border(const Draw& draw, Blocks& blocks) {
  blocks.gamma = draw.drop / volume(blocks.sizes);
}

void drop_for_gamma(const Draw& draw, Blocks& blocks) {
  blocks.gamma = draw.drop;
}

void centres_on_whole_map(const Draw&, Blocks& blocks) {
  for (std::size_t axis = 0; axis < blocks.extents.size(); ++axis) {
    blocks.first[axis] = 0;
    blocks.last[axis] = blocks.extents[axis] - 1;
  }
}

void no_centre_in_last_place(const Draw&, Blocks& blocks) {
  for (std::size_t axis = 0; axis < blocks.extents.size(); ++axis) {
    blocks.last[axis] = std::max(blocks.first[axis], blocks.last[axis] - 1);
  }
}

void one_larger(const Draw&, Blocks& blocks) {
  for (std::size_t axis = 0; axis < blocks.extents.size(); ++axis) {
    if (blocks.sizes[axis] == blocks.extents[axis]) continue;
    ++blocks.sizes[axis];
    // Whole blocks still, on as many centres as there are now.
    blocks.first[axis] = (blocks.sizes[axis] - 1) / 2;
    blocks.last[axis] =
        blocks.extents[axis] - blocks.sizes[axis] + blocks.first[axis];
  }
}

void flat(const Draw&, Blocks& blocks) {
  blocks.first[0] = 0;
  blocks.last[0] = blocks.extents[0] - 1;
  blocks.sizes[0] = 1;
}

Shape shared_by_channels(const LayerConfig&, const Shape& shape) {
  Shape units = shape;
  units[1] = 1;
  return units;
}

/// Whether timm's grid, of shape (W, H) and then read as (H, W), takes the
/// centre for valid.
bool valid_when_swapped(const Blocks& blocks, const Shape& centre) {
  const std::int64_t height = blocks.extents[0];
  const std::int64_t index = centre[0] * blocks.extents[1] + centre[1];
  const std::int64_t column = index / height;
  const std::int64_t row = index % height;
  return row >= blocks.first[0] && row <= blocks.last[0] &&
         column >= blocks.first[1] && column <= blocks.last[1];
}

void draw_swapped(const Draw& draw) {
  const Blocks blocks =
      reference::blocks_of(draw.config, reference::map_extents(draw.mask));
  const Shape& extents = blocks.extents;
  reference::for_each_map(draw.mask, [&](std::span<std::uint8_t> kept) {
    for (Shape centre{0, 0}; centre[0] < extents[0]; ++centre[0]) {
      for (centre[1] = 0; centre[1] < extents[1]; ++centre[1]) {
        const bool drops = decide(blocks.gamma, draw.stream.next()) == 0;
        if (drops && valid_when_swapped(blocks, centre)) {
          reference::drop_block(blocks, centre, kept);
        }
      }
    }
  });
}

}  // namespace

std::vector<Specimen> block_faults() {
  return {
      {"block_gamma_without_border", "drop_block2d", "drop_rate",
       "draws centres with p / block^2",
       "gamma is not corrected for the border; miguelvr/dropblock #24.",
       blocks_changed(without_border)},
      {"block_drop_for_gamma", "drop_block2d", "drop_rate",
       "draws centres with the drop probability itself",
       "drop_prob is taken for gamma; holocron #156.",
       blocks_changed(drop_for_gamma)},
      {"block_height_width_swapped",
       "drop_block2d",
       "blocks",
       "reads the (W, H) map of valid centres as (H, W)",
       "timm #2569: wrong wherever height and width differ.",
       {.draw = draw_swapped}},
      {"block_centres_anywhere", "drop_block2d", "blocks",
       "draws centres where no whole block fits",
       "Centres on the whole map, undeclared; miguelvr/dropblock #24.",
       blocks_changed(centres_on_whole_map)},
      {"block_one_larger", "drop_block2d", "blocks",
       "drops blocks one larger than asked for",
       "An even kernel of the max-pool is not cropped; miguelvr #3.",
       blocks_changed(one_larger)},
      {"block_shared_by_channels",
       "drop_block2d",
       "blocks",
       "one mask for all channels of a sample",
       "Channels are coupled, undeclared; miguelvr/dropblock #24.",
       {.mask_shape = shared_by_channels}},
      {"block_flat", "drop_block3d", "blocks", "drops flat blocks, one deep",
       "The 3-d layer pools over height and width only.", blocks_changed(flat)},
      {"block_last_centre_missing", "drop_block2d", "position_rates",
       "never draws the last valid centre of an axis",
       "range(extent - block) for range(extent - block + 1).",
       blocks_changed(no_centre_in_last_place)},
      {"block_last_centre_missing_3d", "drop_block3d", "position_rates",
       "never draws the last valid centre of an axis",
       "range(extent - block) for range(extent - block + 1).",
       blocks_changed(no_centre_in_last_place)},
      {"block_scale_not_measured",
       "drop_block2d",
       "support",
       "multiplies by 1/keep instead of entries / kept entries",
       "The scale of plain dropout; the mean of a call is off.",
       {.response = [](const LayerConfig&, Response right) { return right; }}},
      {"block_backward_unscaled",
       "drop_block2d",
       "backward_mask",
       "the gradient misses the measured scale",
       "The scale is applied forward only.",
       {.gradient = Gradient::kUnscaled}},
  };
}

}  // namespace dropcheck::impl::faulty
