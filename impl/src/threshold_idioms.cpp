#include "dropcheck/impl/threshold_idioms.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <stdexcept>

namespace dropcheck::impl {
namespace {

constexpr std::string_view kTimm =
    "PyTorch CPU rand: timm drop_path until 2021, Swin, BEiT, ConvNeXt copies";
constexpr std::string_view kTimmCuda = "PyTorch CUDA rand: the same layers";
constexpr std::string_view kRandAtLeast =
    "PyTorch CPU rand: torch.rand(...) >= p";
constexpr std::string_view kRandAbove = "PyTorch CPU rand: torch.rand(...) > p";
constexpr std::string_view kTensorFlow = "TensorFlow: random_uniform >= rate";

using enum KeepRule;
using enum Uniform;
using enum DType;

// PyTorch has as many bits as the significand, TensorFlow one less: it fills
// the stored bits of 1.xxx and subtracts 1. CUDA's words have 32.
constexpr std::array<ThresholdIdiom, 20> kIdioms{{
    {"floor_keep_plus_rand", kTimm, kFloorOfSum, kMultiple, kFloat32, 24},
    {"floor_keep_plus_rand", kTimm, kFloorOfSum, kMultiple, kFloat16, 11},
    {"floor_keep_plus_rand", kTimm, kFloorOfSum, kMultiple, kBFloat16, 8},
    {"floor_keep_plus_rand", kTimm, kFloorOfSum, kMultiple, kFloat64, 53},
    {"floor_keep_plus_rand_cuda", kTimmCuda, kFloorOfSum, kHalfStepUpWrapped,
     kFloat32, 32},
    {"floor_keep_plus_rand_cuda", kTimmCuda, kFloorOfSum, kHalfStepUpWrapped,
     kFloat16, 32},
    {"floor_keep_plus_rand_cuda", kTimmCuda, kFloorOfSum, kHalfStepUpWrapped,
     kBFloat16, 32},
    {"rand_at_least_drop", kRandAtLeast, kNotBelow, kMultiple, kFloat32, 24},
    {"rand_at_least_drop", kRandAtLeast, kNotBelow, kMultiple, kFloat16, 11},
    {"rand_at_least_drop", kRandAtLeast, kNotBelow, kMultiple, kBFloat16, 8},
    {"rand_above_drop", kRandAbove, kAbove, kMultiple, kFloat32, 24},
    {"rand_above_drop", kRandAbove, kAbove, kMultiple, kFloat16, 11},
    {"rand_above_drop", kRandAbove, kAbove, kMultiple, kBFloat16, 8},
    {"tensorflow_uniform", kTensorFlow, kNotBelow, kMultiple, kFloat32, 23},
    {"tensorflow_uniform", kTensorFlow, kNotBelow, kMultiple, kFloat16, 10},
    {"tensorflow_uniform", kTensorFlow, kNotBelow, kMultiple, kBFloat16, 7},
    {"tensorflow_uniform", kTensorFlow, kNotBelow, kMultiple, kFloat64, 52},
    {"cuda_fused_dropout", "PyTorch CUDA fused dropout: float U < keep",
     kBelowKeep, kHalfStepUp, kFloat32, 32},
    {"threshold_8bit", "FlashAttention: byte <= floor(255 * keep)",
     kAtMostFloor, kWord, kFloat32, 8},
    {"threshold_16bit", "the same with 16 bits: floor(65535 * keep)",
     kAtMostFloor, kWord, kFloat32, 16},
}};

std::uint64_t last_word(const ThresholdIdiom& idiom) {
  return ~std::uint64_t{0} >> static_cast<unsigned>(64 - idiom.word_bits);
}

/// `rounded`, with a short way for the dtype of all those words.
double in_dtype(double value, DType dtype) {
  return dtype == kFloat32 ? static_cast<double>(static_cast<float>(value))
                           : rounded(value, dtype);
}

double rounded_sum(double keep, double u, DType dtype) {
  if (dtype == kFloat64) return keep + u;
  // Arithmetic is in float, and the result is rounded once more.
  const float sum = static_cast<float>(keep) + static_cast<float>(u);
  return in_dtype(static_cast<double>(sum), dtype);
}

double half_step_up(const ThresholdIdiom& idiom, std::uint64_t word) {
  constexpr float kStep = 0x1p-32F;
  const float u = static_cast<float>(word) * kStep + kStep / 2;
  return in_dtype(static_cast<double>(u), idiom.dtype);
}

double uniform(const ThresholdIdiom& idiom, std::uint64_t word) {
  switch (idiom.uniform) {
    case kMultiple:
      return static_cast<double>(word) /
             static_cast<double>(last_word(idiom) + 1);
    case kHalfStepUp:
      return half_step_up(idiom, word);
    case kHalfStepUpWrapped: {
      const double u = half_step_up(idiom, word);
      return u == 1 ? 0 : u;
    }
    case kWord:
      return static_cast<double>(word);
  }
  return 0;
}

/// The first word in [begin, end) with a property that all later ones have;
/// `end` if none has it.
template <class Property>
std::uint64_t first_with(std::uint64_t begin, std::uint64_t end,
                         const Property& property) {
  while (begin < end) {
    const std::uint64_t middle = begin + (end - begin) / 2;
    if (property(middle)) {
      end = middle;
    } else {
      begin = middle + 1;
    }
  }
  return begin;
}

}  // namespace

std::span<const ThresholdIdiom> threshold_idioms() { return kIdioms; }

const ThresholdIdiom& find_idiom(std::string_view name, DType dtype) {
  const ThresholdIdiom* fallback = nullptr;
  for (const ThresholdIdiom& idiom : kIdioms) {
    if (idiom.name != name) continue;
    if (idiom.dtype == dtype) return idiom;
    if (idiom.dtype == kFloat32) fallback = &idiom;
  }
  if (fallback != nullptr) return *fallback;
  throw std::invalid_argument(
      fmt::format("there is no threshold idiom called '{}'", name));
}

bool keeps(const ThresholdIdiom& idiom, const Probability& probability,
           std::uint64_t word) {
  const double u = uniform(idiom, word);
  switch (idiom.rule) {
    case kFloorOfSum:
      return rounded_sum(probability.keep(), u, idiom.dtype) >= 1;
    case kNotBelow:
      return u >= in_dtype(probability.drop(), idiom.dtype);
    case kAbove:
      return u > in_dtype(probability.drop(), idiom.dtype);
    case kBelowKeep:
      return u < in_dtype(probability.keep(), idiom.dtype);
    case kAtMostFloor: {
      const auto most = static_cast<double>(last_word(idiom));
      return u <= std::floor(most * probability.keep());
    }
  }
  return false;
}

// The words from `wrapped` on have U = 0; below it U grows.
DyadicFraction drop_fraction(const ThresholdIdiom& idiom,
                             const Probability& probability) {
  const std::uint64_t last = last_word(idiom);
  const std::uint64_t end = last + 1;
  const bool wraps = idiom.uniform == kHalfStepUpWrapped;
  const std::uint64_t wrapped =
      wraps ? first_with(
                  end / 2, end,
                  [&](std::uint64_t word) { return uniform(idiom, word) == 0; })
            : end;
  const bool first_kept = keeps(idiom, probability, 0);
  const std::uint64_t like_first =
      first_with(0, wrapped, [&](std::uint64_t word) {
        return keeps(idiom, probability, word) != first_kept;
      });
  std::uint64_t dropped = first_kept ? wrapped - like_first : like_first;
  if (wraps && !keeps(idiom, probability, last)) dropped += end - wrapped;
  return DyadicFraction::of(dropped, idiom.word_bits);
}

}  // namespace dropcheck::impl
