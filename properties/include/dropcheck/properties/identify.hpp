#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dropcheck/impl/registry.hpp"
#include "dropcheck/stats/counts.hpp"

namespace dropcheck::properties {

/// How a black box is asked.
struct IdentifySettings {
  /// p, dtype and options, as the layer is made. `layer` is taken from the
  /// entry: a subject that serves several layers must know which one is meant.
  impl::LayerConfig config = {.drop_probability = 0.1};
  /// False: another dtype will do where the subject does not take config's.
  bool dtype_is_asked = false;
  /// Read this input shape instead of the one chosen; at most 2^16 elements.
  std::optional<impl::Shape> shape;
  std::uint64_t seed = 0;
  double alpha = 1e-9;  ///< error of the interval
  /// Stops the search where it becomes true.
  const std::atomic<bool>* interrupt = nullptr;
};

/// What a layer makes of the values of one input.
enum class ValueKind {
  kMask,            ///< each place is kept or dropped
  kNothingDropped,  ///< no result ever varied
  kAllDropped,      ///< one value everywhere
  kNoise,           ///< each place takes many values
  kScalePerCall,    ///< kept or dropped, and each call has a scale of its own
  kInner,           ///< dropped, or a value that random layers before have made
  kBranches,        ///< each place returns to one of several values
  kUnknown,
};

/// Whether results of that kind show which places were dropped.
constexpr bool holds_mask(ValueKind kind) {
  return kind == ValueKind::kMask || kind == ValueKind::kScalePerCall ||
         kind == ValueKind::kInner;
}

/// Inputs of one rank.
struct RankReading {
  impl::Shape input;
  bool taken = false;
  std::string refusal;  ///< the layer's own words
  impl::Shape output;
  /// For each axis of the output, whether it shares decisions. Absent where
  /// that is not known, or not a matter of axes.
  std::optional<std::vector<bool>> shared;
  std::string unit;        ///< in words: "per channel"; empty if not known
  std::int64_t fixed = 0;  ///< places that were decided alike in every call
};

/// The factor, or the summand, of a layer that makes noise.
struct NoiseReading {
  bool multiplies = true;
  double mean = 0;
  double deviation = 0;
  double skewness = 0;
  double kurtosis = 0;
  std::uint64_t n = 0;
  bool normal = false;       ///< no test of 64 cells tells it from normal
  bool mean_is_one = false;  ///< the interval of its mean holds 1
};

/// Blocks that drops come in: a drop is always part of one.
struct BlockReading {
  impl::Shape shape;        ///< of the results that were read
  std::vector<int> axes;    ///< that blocks reach along
  impl::Shape sizes;        ///< of a block, along each of these axes
  bool whole_map = false;   ///< the border cuts blocks off
  std::vector<int> shared;  ///< axes along which all have one mask
  double gamma = 0;         ///< probability that a centre is drawn
  stats::Interval gamma_interval;
  /// Survivors are multiplied by entries over kept entries of the call.
  bool measured_scale = false;
};

/// What a network of random branches returns.
struct BranchReading {
  std::string unit;            ///< "for each sample", "for the whole tensor"
  std::uint64_t draws = 0;     ///< results of a unit that were read
  std::uint64_t distinct = 0;  ///< of them
  double commonest = 0;        ///< share of the result that came most often
  stats::Interval interval;    ///< of its probability
  /// Fewer decisions a unit cannot give so many results.
  int fewest_decisions = 1;
};

/// What a layer does at evaluation, and after it.
enum class EvaluationKind {
  kIdentity,  ///< bit for bit
  kScaled,    ///< a straight line through its inputs
  kSoftmax,   ///< over the last axis
  kRepeated,  ///< the input, as often as there are masks
  kFunction,  ///< another function of the input
  kRandom,    ///< not the same twice
  kRefused,
};

/// A known law, and what tells the layer from it.
struct NearestLayer {
  impl::LayerConfig config;  ///< `layer` and its options
  std::string options;       ///< in words; empty if there are none
  double distance = 0;       ///< differences, weighed; 0 is none
  std::vector<std::string> differences;
};

/// The law of a black box, as far as calls tell it.
struct Identification {
  std::string subject;
  impl::LayerConfig config;
  std::uint64_t seed = 0;
  double alpha = 1e-9;
  std::uint64_t calls = 0;

  /// Unit, values and rate are known.
  bool identified = false;
  bool interrupted = false;
  bool crashed = false;  ///< the subject crashed, or did not return in time
  std::string law;       ///< one sentence
  std::string nearest_words;  ///< one sentence
  /// What cannot be told, each with its reason.
  std::vector<std::string> unknown;
  /// What no known layer does.
  std::vector<std::string> remarks;

  ValueKind kind = ValueKind::kUnknown;
  std::vector<RankReading> ranks;  ///< 0 to 8
  /// The rank that the following was read at, as an index of `ranks`.
  std::optional<std::size_t> rank;

  /// Of a place; for blocks the mean over the map. For noise that multiplies,
  /// the p whose drop / keep is its variance.
  std::optional<double> drop_probability;
  stats::Interval interval;
  /// The interval supposes that units are independent. False: their number in
  /// a call shows that they are not, and it rests on calls as a whole.
  bool supposes_independence = true;
  std::uint64_t decisions = 0;
  bool as_asked = false;  ///< the interval holds the p that was asked for

  std::optional<double> slope;  ///< kept value: slope * base + offset
  std::optional<double> offset;
  std::optional<double> dropped_value;
  bool base_is_evaluation = false;  ///< else the input
  std::string rounding;             ///< of the kept value

  EvaluationKind evaluation = EvaluationKind::kRefused;
  double evaluation_slope = 1;  ///< kScaled
  std::string evaluation_words;
  std::string seeding;  ///< in words
  std::optional<NoiseReading> noise;
  std::optional<BlockReading> blocks;
  std::optional<BranchReading> branches;

  std::vector<NearestLayer> nearest;  ///< nearest first
};

/// Finds the law of a layer from calls alone: neither the entry's name, nor its
/// summary, nor what the subject says of itself is read, but for whether it can
/// be reseeded. The same seed gives the same result for a subject that can.
///
/// Errors  what the layer does wrong is part of the result. Passes on
///         AdapterError from opening the subject; std::domain_error for a drop
///         probability outside [0, 1], std::invalid_argument for a shape with
///         more than 2^16 elements.
/// Cost    about 2^23 elements and at most 2^17 calls.
Identification identify(const impl::SubjectEntry& entry,
                        const IdentifySettings& settings);

}  // namespace dropcheck::properties
