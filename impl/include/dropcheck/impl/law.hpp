#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dropcheck/impl/config.hpp"
#include "dropcheck/impl/law_options.hpp"
#include "dropcheck/impl/network_law.hpp"

namespace dropcheck::impl {

/// Which elements share one decision.
enum class Unit {
  kElement,
  kChannel,     ///< one channel of one sample
  kSample,      ///< one sample (axis 0)
  kTensor,      ///< the whole tensor
  kSharedAxes,  ///< LayerConfig::shared_axes, else Law::shared_axis
  /// Blocks that overlap (block_law.hpp). The units are those positions, for
  /// each map, whose decisions are independent.
  kBlock,
};

/// The affine map around the mask: y = a * (m * x + (1 - m) * c) + b.
enum class Scaling {
  kInverseKeep,  ///< a = 1/keep, b = 0, c = 0 (a = 1 where !scale_by_keep)
  kSelu,         ///< keeps SELU's mean 0 and variance 1; c = -lambda * alpha
};

/// What multiplies the base: a mask, scaled, or noise of mean 1.
enum class Factor {
  kMask,
  kNormal,  ///< N(1, drop / keep); nothing is dropped
};

/// What the mask multiplies.
enum class Base {
  kInput,       ///< the input itself
  kEvaluation,  ///< what the layer returns at evaluation (attention weights)
};

/// The contract of one layer, as data. Every check is derived from it.
struct Law {
  std::string_view layer;    ///< identifier, e.g. "dropout2d"
  std::string_view summary;  ///< one sentence
  std::string_view source;   ///< paper or documentation
  Unit unit = Unit::kElement;
  Scaling scaling = Scaling::kInverseKeep;
  Factor factor = Factor::kMask;
  Base base = Base::kInput;
  /// kChannel: spatial axes after the channel; an input of rank spatial + 2 is
  /// batched (N, C, ...), one of rank spatial + 1 is unbatched (C, ...).
  /// 0 means any number of them, and then the input is batched.
  int spatial_axes = 0;
  /// kSharedAxes: the axis along which decisions are shared where the
  /// configuration names none; -1 is none.
  int shared_axis = -1;
  std::string_view unit_words = {};  ///< "per token"; empty: by its axes
  int minimum_rank = 0;
  int maximum_rank = 8;
  bool has_backward = true;
  bool has_in_place = false;
  LawOptions options = {};
  /// Networks only: where the layers stand, which `unit` and `scaling`
  /// describe.
  const NetworkLaw* network = nullptr;
};

/// The numbers of y = a * (m * x + (1 - m) * c) + b for one drop probability.
struct Affine {
  double a = 1;
  double b = 0;
  double c = 0;
  double kept_slope() const { return a; }
  double kept_offset() const { return b; }
  double dropped_value() const { return a * c + b; }
};

/// Every layer's law, in the order of the table in the README.
std::span<const Law> laws();

/// The laws of the networks.
std::span<const Law> network_laws();

/// What a network of that law and configuration is made of. Throws
/// std::invalid_argument for options that it does not have.
NetworkLaw network_law(const Law& law, const LayerConfig& config);

/// The law of a layer or a network, or nullptr.
const Law* find_law(std::string_view layer);

/// Throws std::domain_error for a drop probability outside [0, 1]. At 1 the
/// scale is 0 for every law: all results are zero (PyTorch's convention).
Affine affine(const Law& law, const LayerConfig& config);

/// sqrt(drop / keep): the standard deviation of the factor of Factor::kNormal.
double noise_deviation(const LayerConfig& config);

/// How far a factor y / x may lie from the factor z that was drawn, where
/// noise, factor and result were each rounded to the dtype:
/// u (2 |z| + 3 |z - 1|) with the unit roundoff u.
double factor_rounding(DType dtype, double z);

/// The probability that a unit is dropped: the drop probability, but for
/// drop_block that of a position which whole blocks can cover. A factor of
/// Factor::kNormal counts as a drop if it is below 1: the least probability of
/// that, one half less what rounding may set to 1. Throws as `affine` and
/// `unit_shape`.
double unit_drop_probability(const Law& law, const LayerConfig& config,
                             const Shape& shape);

/// Throws std::invalid_argument where the law has no meaning for the rank.
void require_rank(const Law& law, const Shape& shape);

/// Which axes of `shape` (the output's) share a decision. Throws
/// std::invalid_argument where the law has no meaning for the rank.
std::vector<bool> shared_axes(const Law& law, const LayerConfig& config,
                              const Shape& shape);

/// Shape of the grid of units: `shape` with shared axes set to 1; for blocks
/// spatial axes have their readable positions only.
Shape unit_shape(const Law& law, const LayerConfig& config, const Shape& shape);

/// What `unit_of_element` says of an element outside all units (blocks).
inline constexpr std::uint32_t kNoUnit = 0xFFFFFFFF;

/// For each element of `shape`, in row-major order, the index of its unit.
std::vector<std::uint32_t> unit_of_element(const Law& law,
                                           const LayerConfig& config,
                                           const Shape& shape);

/// Shape of the output for an input of `shape`: the same, but for
/// drop_connect with `samples` masks, which puts them on a new first axis.
Shape output_shape(const Law& law, const LayerConfig& config,
                   const Shape& shape);

}  // namespace dropcheck::impl
