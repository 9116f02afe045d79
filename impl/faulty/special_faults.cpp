// Layers that are right for ordinary numbers only.
#include <cmath>
#include <limits>

#include "faulty/draws.hpp"

namespace dropcheck::impl::faulty {
namespace {

/// Whether an element of a layer that decides by element was kept.
bool keeps(const Draw& draw, std::int64_t element) {
  return draw.mask.kept[static_cast<std::size_t>(element)] != 0;
}

/// Replaces each result y of x by f(kept, x, y).
Fault answers_with(double (*f)(bool kept, double x, double y)) {
  return {.spoil = [f](const Draw& draw, const TensorView& input,
                       const TensorView& output) {
    for (std::int64_t i = 0; i < output.size(); ++i) {
      const double x = input.value(i);
      output.set(i, f(keeps(draw, i), x, output.value(i)));
    }
  }};
}

double largest(DType dtype) {
  const double rounding = std::ldexp(1.0, -significand_bits(dtype));
  const int exponent = dtype == DType::kFloat64   ? 1024
                       : dtype == DType::kFloat16 ? 16
                                                  : 128;
  return std::ldexp(1 - rounding, exponent);
}

double least_normal(DType dtype) {
  const int exponent = dtype == DType::kFloat64   ? -1022
                       : dtype == DType::kFloat16 ? -14
                                                  : -126;
  return std::ldexp(1.0, exponent);
}

void clip(const Draw& draw, const TensorView&, const TensorView& output) {
  const double limit = largest(draw.dtype);
  for (std::int64_t i = 0; i < output.size(); ++i) {
    const double y = output.value(i);
    if (std::isinf(y)) output.set(i, std::copysign(limit, y));
  }
}

void flush(const Draw& draw, const TensorView&, const TensorView& output) {
  const double limit = least_normal(draw.dtype);
  for (std::int64_t i = 0; i < output.size(); ++i) {
    const double y = output.value(i);
    if (std::abs(y) < limit) output.set(i, std::copysign(0, y));
  }
}

/// A NaN anywhere makes all of its row NaN.
void contaminate(const Draw&, const TensorView& input,
                 const TensorView& output) {
  if (input.shape.empty()) return;
  const std::int64_t extent = input.shape.back();
  for (std::int64_t row = 0; row < output.size(); row += extent) {
    bool any = false;
    for (std::int64_t i = row; i < row + extent; ++i) {
      any = any || std::isnan(input.value(i));
    }
    for (std::int64_t i = row; any && i < row + extent; ++i) {
      output.set(i, std::numeric_limits<double>::quiet_NaN());
    }
  }
}

}  // namespace

std::vector<Specimen> special_faults() {
  return {
      {"nan_leaks_when_dropped", "dropout", "special_values",
       "multiplies dropped values by 0, so that NaN and infinity stay NaN",
       "0 * Inf = NaN without saying so; pytorch #59421, where it is declared.",
       answers_with([](bool kept, double x, double y) {
         return kept || std::isfinite(x) ? y : 0 * x;
       })},
      {"dropped_zero_signed", "dropout", "special_values",
       "drops negative values to -0",
       "0 * x without saying so: seen by 1 / y and by the sign bit only.",
       answers_with([](bool kept, double x, double y) {
         return kept ? y : std::copysign(0, x);
       })},
      {"infinity_clipped",
       "dropout",
       "special_values",
       "turns infinities into the largest finite number",
       "A saturating conversion back to the storage type; nan_to_num.",
       {.spoil = clip}},
      {"subnormals_flushed",
       "dropout",
       "special_values",
       "returns 0 for subnormal results",
       "A kernel built with -ffast-math sets flush-to-zero for its thread.",
       {.spoil = flush}},
      {"negative_zero_lost", "dropout", "special_values",
       "a kept -0 becomes +0",
       "The affine map of alpha dropout adds b = 0: -0 + 0 is +0.",
       answers_with([](bool, double, double y) { return y + 0.0; })},
      {"nan_contaminates_row",
       "dropout",
       "special_values",
       "one NaN makes its whole row NaN",
       "The mask is applied as a matrix product with a diagonal matrix.",
       {.spoil = contaminate}},
      {"nan_counted_as_dropped", "dropout", "special_values",
       "a kept NaN becomes 0",
       "x > 0 or x <= 0 selects what is kept; a NaN is neither.",
       answers_with(
           [](bool, double x, double y) { return std::isnan(x) ? 0 : y; })},
  };
}

}  // namespace dropcheck::impl::faulty
