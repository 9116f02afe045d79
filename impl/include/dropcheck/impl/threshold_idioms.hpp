#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "dropcheck/impl/dtype.hpp"
#include "dropcheck/impl/dyadic_fraction.hpp"
#include "dropcheck/impl/probability.hpp"

namespace dropcheck::impl {

/// How a random word k of w bits becomes a number.
enum class Uniform {
  kMultiple,  ///< k / 2^w: [0, 1)
  /// CUDA: k * 2^-32 + 2^-33 in float, in (0, 1], rounded to the dtype, where a
  /// generator of [0, 1) returns 0 for 1.
  kHalfStepUp,
  kHalfStepUpWrapped,
  kWord,  ///< k itself
};

/// When a unit is kept.
enum class KeepRule {
  kFloorOfSum,   ///< floor(keep + U) is 1, the sum rounded to the dtype
  kNotBelow,     ///< U >= drop, drop rounded to the dtype
  kAbove,        ///< U > drop
  kBelowKeep,    ///< U < keep, keep rounded to the dtype
  kAtMostFloor,  ///< k <= floor((2^w - 1) * keep)
};

/// One way in which libraries turn a random word into a decision. Each of them
/// drops at a rate that is a multiple of 2^-word_bits and in general not the
/// one that was asked for.
///
/// Source  STATISTICS 2.e: read in the libraries that `seen_in` names.
struct ThresholdIdiom {
  std::string_view name;  ///< e.g. "floor_keep_plus_rand"
  std::string_view seen_in;
  KeepRule rule;
  Uniform uniform;
  DType dtype;    ///< of U; f32 where the idiom has no dtype
  int word_bits;  ///< w: random bits that a decision depends on
};

/// All of them; an idiom has one row for each dtype that it is seen in.
std::span<const ThresholdIdiom> threshold_idioms();

/// The row of an idiom for a dtype, the f32 row where there is none for it.
/// Throws std::invalid_argument for an unknown name.
const ThresholdIdiom& find_idiom(std::string_view name, DType dtype);

/// Whether the idiom keeps a unit, given a right-aligned word of its width.
bool keeps(const ThresholdIdiom& idiom, const Probability& probability,
           std::uint64_t word);

/// The share of all words for which the idiom drops: its exact drop
/// probability. Found by bisection, because U grows with the word and the
/// decision changes once with U.
DyadicFraction drop_fraction(const ThresholdIdiom& idiom,
                             const Probability& probability);

}  // namespace dropcheck::impl
