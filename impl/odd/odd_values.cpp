// Other arithmetic than to select between scale * x and a constant.
#include <cmath>
#include <cstring>

#include "odd/odd_layer.hpp"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace dropcheck::impl::odd {
namespace {

/// f64 computes in double, the others in float.
double in_arithmetic_of(DType dtype, double value) {
  return dtype == DType::kFloat64
             ? value
             : static_cast<double>(static_cast<float>(value));
}

/// Units of this file are elements: `value(x, kept)` for each of them.
template <class Value>
void each(const Mask& mask, const TensorView& input, const TensorView& output,
          const Value& value) {
  for (std::int64_t i = 0; i < input.size(); ++i) {
    const bool kept = mask.kept[static_cast<std::size_t>(i)] != 0;
    output.set(i, in_arithmetic_of(input.dtype, value(input.value(i), kept)));
  }
}

/// x * (mask * scale): a dropped -1 becomes -0, a dropped infinity NaN.
void multiply(const Mask& mask, const Response& response,
              const TensorView& input, const TensorView& output) {
  const double scale = in_arithmetic_of(input.dtype, response.scale);
  each(mask, input, output,
       [scale](double x, bool kept) { return x * (kept ? scale : 0.0); });
}

/// x / keep.
void divide(const Mask& mask, const Response& response, const TensorView& input,
            const TensorView& output) {
  if (response.scale == 0) return multiply(mask, response, input, output);
  const double keep = in_arithmetic_of(input.dtype, 1 / response.scale);
  each(mask, input, output,
       [keep](double x, bool kept) { return kept ? x / keep : 0.0; });
}

/// All in double, rounded once.
void compute_in_double(const Mask& mask, const Response& response,
                       const TensorView& input, const TensorView& output) {
  for (std::int64_t i = 0; i < input.size(); ++i) {
    const bool kept = mask.kept[static_cast<std::size_t>(i)] != 0;
    output.set(i, kept ? response.scale * input.value(i) : 0.0);
  }
}

/// mask * scale * x plus a residual by one fused step. The residual is -0, the
/// number that adds nothing, so that the law of dropout holds.
void add_to_residual(const Mask& mask, const Response& response,
                     const TensorView& input, const TensorView& output) {
  const double scale = in_arithmetic_of(input.dtype, response.scale);
  constexpr double kResidual = -0.0;
  each(mask, input, output, [scale](double x, bool kept) {
    return std::fma(x, kept ? scale : 0.0, kResidual);
  });
}

/// Writes past the caches, where the processor can.
void write_past_caches(const Mask& mask, const Response& response,
                       const TensorView& input, const TensorView& output) {
#if defined(__SSE2__)
  const bool plain = input.dtype == DType::kFloat32 && input.compact() &&
                     output.compact() && response.offset == 0;
  if (plain) {
    const auto scale = static_cast<float>(response.scale);
    const auto from = input.floats();
    const auto to = output.floats();
    for (std::size_t i = 0; i < from.size(); ++i) {
      const float y = mask.kept[i] != 0 ? from[i] * scale : 0.0F;
      int bits = 0;
      static_assert(sizeof bits == sizeof y);
      std::memcpy(&bits, &y, sizeof y);
      _mm_stream_si32(reinterpret_cast<int*>(&to[i]), bits);
    }
    return _mm_sfence();
  }
#endif
  reference::apply_mask(mask, response, input, output);
}

/// What 0 * x gives for a dropped value.
constexpr LawOptions kProducts{.dropped_nonfinite = DroppedNonFinite::kNaN,
                               .dropped_zero = DroppedZero::kSigned};

}  // namespace

std::vector<Oddity> odd_values() {
  return {
      {"multiply",
       "dropout",
       "multiplies by a mask of 0 and 1/keep",
       {},
       multiply,
       kProducts},
      {"divide", "dropout", "divides by keep", {}, divide},
      {"computes_in_double",
       "dropout",
       "computes in double and rounds once",
       {},
       compute_in_double},
      {"fused_residual_add",
       "dropout",
       "adds to a residual, which is zero",
       {},
       add_to_residual,
       kProducts},
      {"non_temporal",
       "dropout",
       "writes past the caches",
       {},
       write_past_caches},
  };
}

}  // namespace dropcheck::impl::odd
