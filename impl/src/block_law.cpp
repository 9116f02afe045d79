#include "dropcheck/impl/block_law.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "dropcheck/impl/probability.hpp"

namespace dropcheck::impl {
BlockAxis block_axis(std::int64_t extent, std::int64_t size, bool whole_map) {
  BlockAxis axis{extent, std::min(size, extent)};
  axis.first_centre = whole_map ? 0 : axis.before();
  axis.last_centre =
      whole_map ? extent - 1 : extent - axis.block + axis.before();
  return axis;
}

std::int64_t BlockAxis::begin(std::int64_t centre) const {
  return std::max<std::int64_t>(0, centre - before());
}

std::int64_t BlockAxis::end(std::int64_t centre) const {
  return std::min(extent, centre - before() + block);
}

std::int64_t BlockAxis::covering(std::int64_t position) const {
  const std::int64_t first =
      std::max(first_centre, position + before() - block + 1);
  const std::int64_t last = std::min(last_centre, position + before());
  return last - first + 1;
}

std::vector<std::int64_t> BlockAxis::readable() const {
  std::int64_t most = 0;
  for (std::int64_t i = 0; i < extent; ++i) most = std::max(most, covering(i));
  std::vector<std::int64_t> positions;
  for (std::int64_t i = 0; i < extent; ++i) {
    const bool apart = positions.empty() || i >= positions.back() + block;
    if (apart && covering(i) == most) positions.push_back(i);
  }
  return positions;
}

std::int64_t BlockLaw::centres() const {
  std::int64_t count = 1;
  for (const BlockAxis& axis : axes) count *= axis.centres();
  return count;
}

std::int64_t BlockLaw::covering_readable() const {
  std::int64_t covering = 1;
  for (const BlockAxis& axis : axes) {
    if (axis.extent > 0) covering *= axis.covering(axis.readable().front());
  }
  return covering;
}

double BlockLaw::drop_probability(std::int64_t covering) const {
  if (covering == 0) return 0;
  return -std::expm1(static_cast<double>(covering) * std::log1p(-gamma));
}

std::vector<double> BlockLaw::drop_map() const {
  std::vector<std::int64_t> covering{1};
  for (const BlockAxis& axis : axes) {
    std::vector<std::int64_t> longer;
    for (const std::int64_t before : covering) {
      for (std::int64_t i = 0; i < axis.extent; ++i) {
        longer.push_back(before * axis.covering(i));
      }
    }
    covering = std::move(longer);
  }
  std::vector<double> map;
  map.reserve(covering.size());
  for (const std::int64_t count : covering) {
    map.push_back(drop_probability(count));
  }
  return map;
}

BlockLaw block_law(const Law& law, const LayerConfig& config,
                   const Shape& shape) {
  require_rank(law, shape);
  if (config.block.size < 1) {
    throw std::invalid_argument(fmt::format(
        "block size is {}, but must be at least 1", config.block.size));
  }
  BlockLaw result;
  double share = 1;
  for (std::size_t axis = 2; axis < shape.size(); ++axis) {
    result.axes.push_back(
        block_axis(shape[axis], config.block.size, config.block.whole_map));
    const BlockAxis& added = result.axes.back();
    if (added.extent == 0) continue;
    const auto block = static_cast<double>(added.block);
    share /= block;
    if (config.block.plain_gamma) continue;
    share *= static_cast<double>(added.extent) /
             (static_cast<double>(added.extent) - block + 1);
  }
  const double drop = Probability::from_drop(config.drop_probability).drop();
  result.gamma = std::min(1.0, drop * share);
  return result;
}

bool measures_scale(const Law& law, const LayerConfig& config) {
  return law.unit == Unit::kBlock && config.scale_by_keep &&
         !config.block.fixed_scale;
}

}  // namespace dropcheck::impl
