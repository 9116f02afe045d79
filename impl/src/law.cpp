#include "dropcheck/impl/law.hpp"

#include <fmt/format.h>

#include <cmath>
#include <numbers>
#include <stdexcept>

#include "dropcheck/impl/block_law.hpp"
#include "dropcheck/impl/probability.hpp"
#include "dropcheck/impl/registry.hpp"
#include "dropcheck/impl/selu.hpp"

namespace dropcheck::impl {
namespace {

[[noreturn]] void refuse_rank(const Law& law, const Shape& shape) {
  const std::string ranks =
      law.minimum_rank == law.maximum_rank
          ? fmt::format("{}", law.minimum_rank)
          : fmt::format("{} to {}", law.minimum_rank, law.maximum_rank);
  throw std::invalid_argument(
      fmt::format("{} got an input of rank {} ({}), but takes rank {}",
                  law.layer, shape.size(), to_string(shape), ranks));
}

bool has_sample_axis(const Law& law, const LayerConfig& config) {
  return law.layer == "drop_connect" && config.samples > 0;
}

/// The shape that the rank rule speaks of: the input's.
Shape input_of(const Law& law, const LayerConfig& config, const Shape& shape) {
  if (!has_sample_axis(law, config)) return shape;
  if (shape.empty() || shape[0] != config.samples) {
    throw std::invalid_argument(fmt::format(
        "{} with {} samples has an output of {} on its first axis, but got {}",
        law.layer, config.samples, config.samples, to_string(shape)));
  }
  return Shape(shape.begin() + 1, shape.end());
}

std::vector<bool> shared_around_channel(const Law& law,
                                        const LayerConfig& config,
                                        std::size_t rank) {
  const bool batched =
      law.spatial_axes == 0 || static_cast<int>(rank) == law.spatial_axes + 2;
  std::vector<bool> shared(rank, true);
  if (batched) shared[0] = false;
  const std::size_t channel = batched ? 1 : 0;
  shared[config.channels_last ? rank - 1 : channel] = false;
  return shared;
}

std::vector<bool> shared_as_asked(const Law& law, const LayerConfig& config,
                                  const Shape& shape) {
  std::vector<bool> shared(shape.size(), false);
  std::vector<int> axes = config.shared_axes;
  if (axes.empty() && law.shared_axis >= 0) axes = {law.shared_axis};
  for (const int axis : axes) {
    if (axis < 0 || axis >= static_cast<int>(shape.size())) {
      throw std::invalid_argument(
          fmt::format("{} shares axis {}, but the input has rank {} ({})",
                      law.layer, axis, shape.size(), to_string(shape)));
    }
    shared[static_cast<std::size_t>(axis)] = true;
  }
  return shared;
}

}  // namespace

Affine affine(const Law& law, const LayerConfig& config) {
  const auto probability = Probability::from_drop(config.drop_probability);
  const double keep = probability.keep();
  const double drop = probability.drop();
  if (keep == 0) return {.a = 0, .b = 0, .c = 0};
  if (law.factor == Factor::kNormal) return {.a = 1, .b = 0, .c = 0};
  if (law.scaling == Scaling::kInverseKeep) {
    return {.a = config.scale_by_keep ? 1 / keep : 1, .b = 0, .c = 0};
  }
  // Layers round on their way to these; the law does once.
  const long double c = kSeluSaturation;
  const long double a =
      1 / std::sqrt(static_cast<long double>(keep) * (1 + drop * c * c));
  return {.a = static_cast<double>(a),
          .b = static_cast<double>(-a * drop * c),
          .c = kSeluSaturation};
}

Law law_of(const SubjectEntry& entry) {
  const Law* found = find_law(entry.layer);
  if (found == nullptr) {
    throw std::invalid_argument(
        fmt::format("subject {} promises the layer '{}', which has no law",
                    entry.name, entry.layer));
  }
  Law law = *found;
  law.spatial_axes = entry.spatial_axes.value_or(law.spatial_axes);
  // It drops channels of a batch: no rank is unbatched.
  if (entry.spatial_axes && law.layer == "spatial_dropout") {
    law.minimum_rank = law.maximum_rank = *entry.spatial_axes + 2;
  }
  law.options = entry.options.value_or(law.options);
  return law;
}

Law law_of(const SubjectEntry& entry, const Description& description) {
  Law law = law_of(entry);
  if (entry.options) return law;
  for (const DeclaredOption& option : description.options) {
    declare(option, law.options);
  }
  return law;
}

void require_rank(const Law& law, const Shape& shape) {
  const int rank = static_cast<int>(shape.size());
  if (rank < law.minimum_rank || rank > law.maximum_rank) {
    refuse_rank(law, shape);
  }
}

double noise_deviation(const LayerConfig& config) {
  const auto probability = Probability::from_drop(config.drop_probability);
  return std::sqrt(probability.drop() / probability.keep());
}

double factor_rounding(DType dtype, double z) {
  const double roundoff = std::ldexp(1.0, -significand_bits(dtype));
  return roundoff * (2 * std::abs(z) + 3 * std::abs(z - 1));
}

double unit_drop_probability(const Law& law, const LayerConfig& config,
                             const Shape& shape) {
  const double drop = Probability::from_drop(config.drop_probability).drop();
  if (law.factor == Factor::kNormal && drop > 0 && drop < 1) {
    const double rounded_to_one = factor_rounding(config.dtype, 1);
    return std::erfc(rounded_to_one / noise_deviation(config) /
                     std::numbers::sqrt2) /
           2;
  }
  if (law.unit != Unit::kBlock) return drop;
  const BlockLaw blocks = block_law(law, config, shape);
  return blocks.drop_probability(blocks.covering_readable());
}

std::vector<bool> shared_axes(const Law& law, const LayerConfig& config,
                              const Shape& shape) {
  require_rank(law, input_of(law, config, shape));
  std::vector<bool> shared(shape.size(), false);
  switch (law.unit) {
    case Unit::kElement:
      return shared;
    case Unit::kChannel:
      return shared_around_channel(law, config, shape.size());
    case Unit::kSample:
      shared.assign(shape.size(), true);
      shared[0] = false;
      return shared;
    case Unit::kTensor:
      shared.assign(shape.size(), true);
      return shared;
    case Unit::kSharedAxes:
      return shared_as_asked(law, config, shape);
    case Unit::kBlock:
      shared[1] = config.block.shared_by_channels;
      return shared;
  }
  return shared;
}

Shape unit_shape(const Law& law, const LayerConfig& config,
                 const Shape& shape) {
  const std::vector<bool> shared = shared_axes(law, config, shape);
  Shape units = shape;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    if (shared[axis]) units[axis] = 1;
  }
  if (law.unit != Unit::kBlock) return units;
  const BlockLaw blocks = block_law(law, config, shape);
  for (std::size_t i = 0; i < blocks.axes.size(); ++i) {
    units[i + 2] = std::ssize(blocks.axes[i].readable());
  }
  return units;
}

namespace {

/// For each position of an axis its index among those of the units, or -1.
std::vector<std::int64_t> unit_indices(std::int64_t extent,
                                       std::int64_t units) {
  std::vector<std::int64_t> indices;
  for (std::int64_t i = 0; i < extent; ++i) {
    indices.push_back(units == 1 ? 0 : i);
  }
  return indices;
}

std::vector<std::int64_t> readable_indices(const BlockAxis& axis) {
  std::vector<std::int64_t> indices(static_cast<std::size_t>(axis.extent), -1);
  std::int64_t next = 0;
  for (const std::int64_t position : axis.readable()) {
    indices[static_cast<std::size_t>(position)] = next++;
  }
  return indices;
}

std::vector<std::vector<std::int64_t>> indices_by_axis(
    const Law& law, const LayerConfig& config, const Shape& shape) {
  const Shape units = unit_shape(law, config, shape);
  std::vector<std::vector<std::int64_t>> indices;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    indices.push_back(unit_indices(shape[axis], units[axis]));
  }
  if (law.unit != Unit::kBlock) return indices;
  const BlockLaw blocks = block_law(law, config, shape);
  for (std::size_t i = 0; i < blocks.axes.size(); ++i) {
    indices[i + 2] = readable_indices(blocks.axes[i]);
  }
  return indices;
}

}  // namespace

std::vector<std::uint32_t> unit_of_element(const Law& law,
                                           const LayerConfig& config,
                                           const Shape& shape) {
  const Shape strides = compact_strides(unit_shape(law, config, shape));
  const auto indices = indices_by_axis(law, config, shape);
  std::vector<std::uint32_t> result;
  result.assign(element_count(shape) == 0 ? 0 : 1, 0);
  // Axis by axis: every index so far is followed by one index per extent.
  for (std::size_t axis = 0; axis < shape.size() && !result.empty(); ++axis) {
    std::vector<std::uint32_t> longer;
    longer.reserve(result.size() * indices[axis].size());
    for (const std::uint32_t first : result) {
      for (const std::int64_t index : indices[axis]) {
        const bool none = first == kNoUnit || index < 0;
        longer.push_back(
            none ? kNoUnit
                 : first + static_cast<std::uint32_t>(index * strides[axis]));
      }
    }
    result = std::move(longer);
  }
  return result;
}

Shape output_shape(const Law& law, const LayerConfig& config,
                   const Shape& shape) {
  if (config.samples < 0) {
    throw std::invalid_argument(
        fmt::format("samples is {}, but must be at least 0", config.samples));
  }
  require_rank(law, shape);
  Shape result = shape;
  if (has_sample_axis(law, config)) {
    result.insert(result.begin(), config.samples);
  }
  return result;
}

}  // namespace dropcheck::impl
