#include "dropcheck/impl/law.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <stdexcept>

#include "dropcheck/impl/probability.hpp"
#include "dropcheck/impl/registry.hpp"
#include "dropcheck/impl/selu.hpp"

namespace dropcheck::impl {
namespace {

constexpr std::array<Law, 14> kLaws{{
    {.layer = "dropout",
     .summary = "Drops elements and multiplies the others by 1/keep.",
     .source = "Srivastava et al. 2014, JMLR 15; torch.nn.Dropout",
     .has_in_place = true},
    {.layer = "dropout1d",
     .summary = "Drops whole channels of (N, C, L) or (C, L).",
     .source = "Tompson et al. 2015, arXiv:1411.4280; torch.nn.Dropout1d",
     .unit = Unit::kChannel,
     .spatial_axes = 1,
     .minimum_rank = 2,
     .maximum_rank = 3,
     .has_in_place = true},
    // Rank 3 is documented as (N, C, L), not as an unbatched (C, H, W): any
    // number of spatial axes, always batched.
    {.layer = "dropout2d",
     .summary = "Drops whole channels of (N, C, H, W) or (N, C, L).",
     .source = "Tompson et al. 2015, arXiv:1411.4280; torch.nn.Dropout2d",
     .unit = Unit::kChannel,
     .minimum_rank = 3,
     .maximum_rank = 4,
     .has_in_place = true},
    {.layer = "dropout3d",
     .summary = "Drops whole channels of (N, C, D, H, W) or (C, D, H, W).",
     .source = "Tompson et al. 2015, arXiv:1411.4280; torch.nn.Dropout3d",
     .unit = Unit::kChannel,
     .spatial_axes = 3,
     .minimum_rank = 4,
     .maximum_rank = 5,
     .has_in_place = true},
    {.layer = "alpha_dropout",
     .summary = "Sets elements to SELU's saturation value and restores mean 0 "
                "and variance 1.",
     .source = "Klambauer et al. 2017, arXiv:1706.02515; torch.nn.AlphaDropout",
     .scaling = Scaling::kSelu,
     .has_in_place = true},
    {.layer = "feature_alpha_dropout",
     .summary = "Alpha dropout of whole channels of (N, C, ...).",
     .source = "Klambauer et al. 2017, arXiv:1706.02515; "
               "torch.nn.FeatureAlphaDropout",
     .unit = Unit::kChannel,
     .scaling = Scaling::kSelu,
     .minimum_rank = 2},
    {.layer = "drop_path",
     .summary = "Drops the whole residual branch of a sample.",
     .source = "Huang et al. 2016, arXiv:1603.09382; timm.layers.DropPath",
     .unit = Unit::kSample,
     .minimum_rank = 1},
    {.layer = "stochastic_depth",
     .summary = "Drops the residual branch of the whole batch at once.",
     .source = "Huang et al. 2016, arXiv:1603.09382; "
               "torchvision.ops.StochasticDepth, mode batch",
     .unit = Unit::kTensor},
    {.layer = "broadcast_dropout",
     .summary = "Dropout whose decisions are shared along chosen axes.",
     .source = "flax.linen.Dropout broadcast_dims; keras noise_shape",
     .unit = Unit::kSharedAxes},
    {.layer = "attention_dropout",
     .summary = "Drops attention weights after the softmax over keys.",
     .source = "Vaswani et al. 2017, arXiv:1706.03762; "
               "scaled_dot_product_attention dropout_p",
     .base = Base::kEvaluation,
     .minimum_rank = 2},
    {.layer = "drop_connect",
     .summary = "Drops weights, for each sample anew where samples is given.",
     .source = "Wan et al. 2013, ICML, PMLR 28(3)",
     .base = Base::kEvaluation,
     .minimum_rank = 1,
     .maximum_rank = 7},
    {.layer = "spatial_dropout",
     .summary = "Drops whole channels of a batch, in either data format.",
     .source = "Tompson et al. 2015, arXiv:1411.4280; "
               "keras.layers.SpatialDropout1D, 2D and 3D",
     .unit = Unit::kChannel,
     .minimum_rank = 3,
     .maximum_rank = 5},
    {.layer = "variational_dropout",
     .summary = "Drops features of (N, T, C) for all time steps at once.",
     .source = "Gal and Ghahramani 2016, arXiv:1512.05287; "
               "keras.layers.LSTM, dropout",
     .unit = Unit::kSharedAxes,
     .shared_axis = 1,
     .unit_words = "per feature of each sequence, for all time steps",
     .minimum_rank = 3},
    {.layer = "token_dropout",
     .summary = "Drops whole tokens of (N, T, C), with all their features.",
     .source = "Iyyer et al. 2015, ACL, P15-1162 (word dropout)",
     .unit = Unit::kSharedAxes,
     .shared_axis = 2,
     .unit_words = "per token",
     .minimum_rank = 3,
     .maximum_rank = 3},
}};

[[noreturn]] void refuse_rank(const Law& law, const Shape& shape) {
  const std::string ranks =
      law.minimum_rank == law.maximum_rank
          ? fmt::format("{}", law.minimum_rank)
          : fmt::format("{} to {}", law.minimum_rank, law.maximum_rank);
  throw std::invalid_argument(
      fmt::format("{} got an input of rank {} ({}), but takes rank {}",
                  law.layer, shape.size(), to_string(shape), ranks));
}

void require_rank(const Law& law, const Shape& shape) {
  const int rank = static_cast<int>(shape.size());
  if (rank < law.minimum_rank || rank > law.maximum_rank) {
    refuse_rank(law, shape);
  }
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

std::span<const Law> laws() { return kLaws; }

const Law* find_law(std::string_view layer) {
  for (const std::span<const Law> all : {laws(), network_laws()}) {
    for (const Law& law : all) {
      if (law.layer == layer) return &law;
    }
  }
  return nullptr;
}

Affine affine(const Law& law, const LayerConfig& config) {
  const auto probability = Probability::from_drop(config.drop_probability);
  const double keep = probability.keep();
  const double drop = probability.drop();
  if (keep == 0) return {.a = 0, .b = 0, .c = 0};
  if (law.scaling == Scaling::kInverseKeep) {
    return {.a = config.scale_by_keep ? 1 / keep : 1, .b = 0, .c = 0};
  }
  const double c = kSeluSaturation;
  const double a = 1 / std::sqrt(keep * (1 + drop * c * c));
  return {.a = a, .b = -a * drop * c, .c = c};
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
  law.options = entry.options.value_or(law.options);
  return law;
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
  return units;
}

std::vector<std::uint32_t> unit_of_element(const Law& law,
                                           const LayerConfig& config,
                                           const Shape& shape) {
  const Shape units = unit_shape(law, config, shape);
  const Shape strides = compact_strides(units);
  std::vector<std::uint32_t> result;
  result.assign(element_count(shape) == 0 ? 0 : 1, 0);
  // Axis by axis: every index so far is followed by one index per extent.
  for (std::size_t axis = 0; axis < shape.size() && !result.empty(); ++axis) {
    const std::int64_t stride = units[axis] == 1 ? 0 : strides[axis];
    std::vector<std::uint32_t> longer;
    longer.reserve(result.size() * static_cast<std::size_t>(shape[axis]));
    for (const std::uint32_t first : result) {
      for (std::int64_t i = 0; i < shape[axis]; ++i) {
        longer.push_back(first + static_cast<std::uint32_t>(i * stride));
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
