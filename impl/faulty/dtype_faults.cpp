// Layers that are wrong in some dtype only.
#include <cmath>

#include "faulty/draws.hpp"

namespace dropcheck::impl::faulty {
namespace {

Fault promotes(DType from, DType to) {
  return {.result = [from, to](const Tensor& right) {
    if (right.dtype() != from) return right;
    Tensor other(to, right.shape());
    for (std::int64_t i = 0; i < right.size(); ++i) {
      other.view().set(i, right.view().value(i));
    }
    return other;
  }};
}

/// Changes each result of one dtype.
Fault changes(DType dtype, double (*change)(double x, double y)) {
  return {.spoil = [dtype, change](const Draw&, const TensorView& input,
                                   const TensorView& output) {
    if (output.dtype != dtype) return;
    for (std::int64_t i = 0; i < output.size(); ++i) {
      output.set(i, change(input.value(i), output.value(i)));
    }
  }};
}

double through_f16(double, double y) { return rounded(y, DType::kFloat16); }
double through_f32(double, double y) { return rounded(y, DType::kFloat32); }

/// 2x / (2 keep), with 2x in f16.
double doubled_in_f16(double x, double y) {
  const bool lost = y != 0 && std::isinf(rounded(2 * x, DType::kFloat16));
  return lost ? std::copysign(INFINITY, y) : y;
}

double flushed(double, double y) {
  constexpr double kSmallestNormal = 0x1p-126;
  return std::abs(y) < kSmallestNormal ? std::copysign(0.0, y) : y;
}

Response scale_in_f32(const LayerConfig&, Response right) {
  right.scale = rounded(right.scale, DType::kFloat32);
  return right;
}

}  // namespace

std::vector<Specimen> dtype_faults() {
  return {
      {"f16_becomes_f32",
       "dropout",
       "dtype",
       "returns f32 for f16 input",
       "A mask in f32 promotes what it multiplies; peft #3783.",
       promotes(DType::kFloat16, DType::kFloat32),
       {},
       {.dtype = DType::kFloat16, .says = "returns f32 for f16 input"}},
      {"bf16_becomes_f32",
       "alpha_dropout",
       "dtype",
       "returns f32 for bf16 input",
       "The constants of the affine map promote; peft #3783.",
       promotes(DType::kBFloat16, DType::kFloat32),
       {},
       {.dtype = DType::kBFloat16, .says = "returns f32 for bf16 input"}},
      {"bf16_through_f16",
       "dropout",
       "dtype",
       "takes bf16 values through f16: above 65504 they are infinite",
       "A kernel for both 16-bit types works in the first.",
       changes(DType::kBFloat16, through_f16),
       {},
       {.dtype = DType::kBFloat16,
        .says = "overflows near the largest values"}},
      {"f16_overflows_within",
       "dropout",
       "dtype",
       "an intermediate product in f16 overflows though the result would not",
       "2x / (2 keep), as fused kernels scale in two steps; jax #28039.",
       changes(DType::kFloat16, doubled_in_f16),
       {},
       {.dtype = DType::kFloat16, .says = "overflows near the largest values"}},
      {"f64_through_f32",
       "dropout",
       "dtype",
       "rounds f64 values to f32",
       "The kernel exists for float, and double is cast.",
       changes(DType::kFloat64, through_f32),
       {},
       {.dtype = DType::kFloat64, .says = "computes in f32 for f64 input"}},
      {"f64_scale_in_f32",
       "dropout",
       "dtype",
       "multiplies f64 values by 1/keep in f32",
       "The probability is stored as a float, as candle does.",
       {.response = scale_in_f32},
       {},
       {.dtype = DType::kFloat64, .says = "computes its scale in f32"}},
      {"flushes_subnormals",
       "dropout",
       "dtype",
       "returns 0 for subnormal f32 values",
       "A library built with -ffast-math sets flush-to-zero for its process.",
       changes(DType::kFloat32, flushed),
       {},
       {.dtype = DType::kFloat32, .says = "flushes subnormal values to zero"}},
  };
}

}  // namespace dropcheck::impl::faulty
