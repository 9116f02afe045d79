#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "dropcheck/impl/config.hpp"
#include "dropcheck/impl/registry.hpp"
#include "reference/masked_layer.hpp"
#include "reference/noise_layer.hpp"

namespace dropcheck::impl::faulty {

using reference::Mask;
using reference::Response;

/// What a wrong mask is drawn from. A fault may use and change all of it.
struct Draw {
  Mask& mask;  ///< has its shape and one entry per unit
  double drop;
  RandomStream& stream;
  std::uint64_t seed;                     ///< of the latest reseed
  std::int64_t call;                      ///< training calls since then, from 0
  bool was_evaluated;                     ///< at any time before
  std::vector<std::uint64_t>& words;      ///< free to use; lives between calls
  std::vector<std::uint64_t>& leftovers;  ///< the same, and outlives reseeds
  DType dtype;
  const LayerConfig& config;
};

enum class Evaluation { kIdentity, kDrops, kScales, kDraws };
enum class Gradient {
  kRight,
  kNewMask,
  kUnscaled,
  kScaledByDrop,
  kFromOutput,
  kDraws,
  kInvertedMask,
  kShiftedMask,
  kScaledTwice,
  kIdentity,
  kFirst1024
};
enum class Memory { kRight, kNeverInPlace, kAlsoInput, kKeepsFirstInput };
enum class Cloning { kRight, kStartsAgain, kSharesGenerator, kKeepsEvaluation };
enum class MaskOutput {
  kRight,
  kInverted,
  kOfCallBefore,
  kAllKept,
  kShifted,
  kOfUnits,
  kKeptAtEvaluation
};
enum class Seeding { kRight, kIgnored, kConstant };
/// Attention only: where the mask stands.
enum class Around { kRight, kBeforeSoftmax, kNormalised };

/// How a layer differs from the reference layer of its law: what is left empty
/// is right. This is all that a member of the zoo consists of.
struct Fault {
  /// The drop probability that the layer works with, from the one asked for.
  std::function<double(double)> drop = {};
  /// The shape of its mask.
  std::function<Shape(const LayerConfig&, const Shape&)> mask_shape = {};
  /// Fills the mask.
  std::function<void(const Draw&)> draw = {};
  /// Changes scale, offset and dropped value, given the right ones. A scale
  /// that should be measured is then fixed.
  std::function<Response(const LayerConfig&, Response)> response = {};
  /// Spoils the output of a training call, after all the rest.
  std::function<void(const Draw&, const TensorView&, const TensorView&)> spoil =
      {};
  /// How many of a word's upper bits `draw` looks at; empty: all 64.
  std::function<int(DType)> word_bits = {};
  /// gaussian_dropout only, which has no mask: changes what is drawn for the
  /// elements and what becomes of it, given the right rule.
  std::function<reference::NoiseRule(const LayerConfig&, reference::NoiseRule)>
      noise = {};
  /// What a training call takes its input's memory for: other strides.
  std::function<TensorView(const TensorView& input)> reads = {};
  /// ... and its output's, given the input.
  std::function<TensorView(const TensorView& input, const TensorView& output)>
      writes = {};
  /// What it returns in place of the right result: another shape or dtype.
  /// Such a layer has no in-place form.
  std::function<Tensor(const Tensor& right)> result = {};
  /// Takes inputs of every rank; needs a `mask_shape`.
  bool any_rank = false;
  Evaluation evaluation = Evaluation::kIdentity;
  Gradient gradient = Gradient::kRight;
  Memory memory = Memory::kRight;
  Seeding seeding = Seeding::kRight;
  Around around = Around::kRight;
  Cloning cloning = Cloning::kRight;
  MaskOutput mask_output = MaskOutput::kRight;
  /// What it declares of its masks, a name of `recipe_called`; empty: nothing.
  std::string_view recipe = {};
};

/// One member of the zoo.
struct Specimen {
  std::string name;       ///< without "faulty:"
  std::string layer;      ///< the law it promises
  std::string caught_by;  ///< the check that must refute it
  std::string summary;    ///< what it does, in one line
  std::string defect;     ///< what is wrong, and where it was seen
  Fault fault;
  std::vector<LayerConfig> variants = {};
  Trial trial = {};
};

/// Words that the sentence of its refutation must have; empty: any.
std::string_view words_due(std::string_view name);

/// How the registry knows it.
SubjectEntry entry_of(const Specimen& specimen);

/// The zoo, by the nature of the defect.
std::vector<Specimen> rate_faults();
std::vector<Specimen> threshold_faults();
std::vector<Specimen> value_faults();
std::vector<Specimen> unit_faults();
std::vector<Specimen> pattern_faults();
std::vector<Specimen> call_faults();
std::vector<Specimen> stream_faults();
std::vector<Specimen> mode_faults();
std::vector<Specimen> edge_faults();
std::vector<Specimen> trespass_faults();
std::vector<Specimen> subtle_faults();
std::vector<Specimen> block_faults();
std::vector<Specimen> noise_faults();
std::vector<Specimen> layout_faults();
std::vector<Specimen> shape_faults();
std::vector<Specimen> dtype_faults();
std::vector<Specimen> special_faults();
std::vector<Specimen> state_faults();
std::vector<Specimen> alpha_faults();
std::vector<Specimen> channel_faults();
std::vector<Specimen> path_faults();
std::vector<Specimen> attention_faults();
std::vector<Specimen> replay_faults();

}  // namespace dropcheck::impl::faulty
