#include "shapes.hpp"

#include <algorithm>
#include <cmath>

namespace dropcheck::properties {
namespace {

impl::Shape channel_shape(const impl::LayerConfig& config, impl::Shape batch,
                          impl::Shape spatial) {
  impl::Shape shape = std::move(batch);
  const auto where = config.channels_last ? shape.end() - 1 : shape.end();
  shape.insert(where, spatial.begin(), spatial.end());
  return shape;
}

impl::Shape spatial_of(const impl::Law& law, const impl::Shape& extents) {
  const int axes = law.spatial_axes == 0 ? 2 : law.spatial_axes;
  return {extents.end() - axes, extents.end()};
}

/// Free axes get long extents, shared ones short ones.
impl::Shape broadcast_shape(const impl::Law& law,
                            const impl::LayerConfig& config, double units,
                            std::int64_t shared_extent) {
  const int highest = config.shared_axes.empty()
                          ? 0
                          : *std::max_element(config.shared_axes.begin(),
                                              config.shared_axes.end());
  const int rank = std::max(3, highest + 1);
  const std::vector<bool> shared = impl::shared_axes(
      law, config, impl::Shape(static_cast<std::size_t>(rank), 1));
  const auto is_shared = [&](int axis) {
    return shared[static_cast<std::size_t>(axis)];
  };
  int free = 0;
  for (int axis = 0; axis < rank; ++axis) free += is_shared(axis) ? 0 : 1;
  const auto base = static_cast<std::int64_t>(
      std::round(std::pow(units, 1.0 / std::max(free, 1))));
  impl::Shape shape;
  for (int axis = 0; axis < rank; ++axis) {
    const std::int64_t step = axis;
    shape.push_back(is_shared(axis) ? shared_extent + step : base + 2 * step);
  }
  return shape;
}

/// Maps with two or three units along an axis, so that neighbours are compared,
/// and as many of them as make a call worth its while.
impl::Shape many_blocks(const impl::Law& law, const impl::LayerConfig& config,
                        bool small) {
  const std::int64_t block = config.block.size;
  const bool flat = law.spatial_axes == 2;
  impl::Shape shape = small ? impl::Shape{7, 5} : impl::Shape{61, 13};
  if (!flat) shape = small ? impl::Shape{5, 3} : impl::Shape{31, 7};
  if (config.block.shared_by_channels) {
    shape = {shape[0] * shape[1], 2};
  }
  if (!flat) shape.push_back(3 * block - 1);
  shape.push_back(3 * block - 1);
  shape.push_back(4 * block - 1);
  return shape;
}

/// A few maps whose extents all differ.
impl::Shape few_blocks(const impl::Law& law, const impl::LayerConfig& config) {
  const std::int64_t block = config.block.size;
  if (law.spatial_axes == 2) return {2, 3, 4 * block - 1, 3 * block - 1};
  return {2, 3, block + 2, block + 3, block + 4};
}

}  // namespace

impl::Shape statistical_shape(const impl::Law& law,
                              const impl::LayerConfig& config,
                              Profile profile) {
  if (law.network != nullptr) {
    const impl::NetworkLaw network = impl::network_law(law, config);
    impl::Shape shape{network.batch};
    shape.insert(shape.end(), network.sample.begin(), network.sample.end());
    return shape;
  }
  const bool small = profile == Profile::kSmoke;
  if (law.base == impl::Base::kEvaluation && config.samples == 0 &&
      law.minimum_rank >= 2) {
    return small ? impl::Shape{1, 3, 31, 43} : impl::Shape{4, 3, 61, 67};
  }
  switch (law.unit) {
    case impl::Unit::kElement:
      if (config.samples > 0) {
        return small ? impl::Shape{21, 23} : impl::Shape{61, 67};
      }
      return small ? impl::Shape{61, 67} : impl::Shape{241, 271};
    case impl::Unit::kChannel:
      return channel_shape(config,
                           small ? impl::Shape{31, 67} : impl::Shape{61, 127},
                           spatial_of(law, {1, 2, 3}));
    case impl::Unit::kSample:
      return {4093, 3};
    case impl::Unit::kTensor:
      return {4, 3};
    case impl::Unit::kSharedAxes:
      return broadcast_shape(law, config, 4093, 2);
    case impl::Unit::kBlock:
      return many_blocks(law, config, small);
  }
  return {};
}

std::vector<impl::Shape> small_shapes(const impl::Law& law,
                                      const impl::LayerConfig& config) {
  if (law.unit == impl::Unit::kChannel) {
    std::vector<impl::Shape> shapes{
        channel_shape(config, {4, 6}, spatial_of(law, {2, 3, 5}))};
    // Of rank one less: (C, ...) where the law knows unbatched input, else
    // (N, C, ...) with one spatial axis less, and one with one more.
    const auto rank = static_cast<int>(shapes.front().size());
    const bool has_lower = rank - 1 >= law.minimum_rank;
    if (law.spatial_axes > 0) {
      impl::Shape unbatched(shapes.front().begin() + 1, shapes.front().end());
      if (has_lower) shapes.push_back(std::move(unbatched));
      return shapes;
    }
    if (has_lower) shapes.push_back(channel_shape(config, {4, 6}, {3}));
    if (rank + 1 <= law.maximum_rank) {
      shapes.push_back(channel_shape(config, {4, 6}, {2, 3, 5}));
    }
    return shapes;
  }
  switch (law.unit) {
    case impl::Unit::kSharedAxes:
      return {broadcast_shape(law, config, 24, 4)};
    case impl::Unit::kBlock:
      return {few_blocks(law, config)};
    default:
      return {law.minimum_rank <= 2 && config.samples > 0
                  ? impl::Shape{5, 7}
                  : impl::Shape{5, 3, 4, 7}};
  }
}

std::vector<impl::Shape> structure_shapes(const PlannedConfiguration& plan) {
  if (plan.own_shape) return {plan.shape};
  return small_shapes(*plan.law, plan.config);
}

namespace {

/// The largest divisor that is at most `limit`.
std::int64_t divisor(std::int64_t units, std::int64_t limit) {
  std::int64_t largest = 1;
  for (std::int64_t d = 2; d <= std::min(units, limit); ++d) {
    if (units % d == 0) largest = d;
  }
  return largest;
}

/// All units along the first axis that shares no decision.
impl::Shape one_free_axis(const impl::Law& law, const impl::LayerConfig& config,
                          std::int64_t units) {
  impl::Shape shape = broadcast_shape(law, config, 1, 1);
  std::fill(shape.begin(), shape.end(), 1);
  const std::vector<bool> shared = impl::shared_axes(law, config, shape);
  const auto free = std::find(shared.begin(), shared.end(), false);
  if (free != shared.end()) {
    shape[static_cast<std::size_t>(free - shared.begin())] = units;
  }
  return shape;
}

}  // namespace

impl::Shape shape_of_units(const impl::Law& law,
                           const impl::LayerConfig& config,
                           std::int64_t units) {
  const bool scores =
      law.base == impl::Base::kEvaluation && law.minimum_rank >= 2;
  switch (law.unit) {
    case impl::Unit::kElement: {
      if (!scores) return {units};
      // Few keys, so that no attention weight is small.
      const std::int64_t keys = divisor(units, 64);
      return {1, 1, units / keys, keys};
    }
    case impl::Unit::kChannel: {
      const std::int64_t channels = divisor(units, 512);
      return channel_shape(config, {units / channels, channels},
                           spatial_of(law, {1, 1, 1}));
    }
    case impl::Unit::kSample:
      return {units, 1};
    case impl::Unit::kTensor:
      return {2, 1};
    case impl::Unit::kSharedAxes:
      return one_free_axis(law, config, units);
    case impl::Unit::kBlock:
      break;
  }
  return {};
}

}  // namespace dropcheck::properties
