#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dropcheck/impl/law.hpp"

namespace dropcheck::properties {

/// One way to round a kept value y = slope * x + offset (STATISTICS 2.c F2).
struct ValueModel {
  impl::DType working = impl::DType::kFloat64;  ///< precision of each step
  bool divides = false;  ///< x / slope instead of x * slope
  bool fused = false;    ///< one rounding for product and sum
  double slope = 1;
  double offset = 0;

  /// The kept value as a layer of this model returns it, in `dtype`.
  double kept(double x, impl::DType dtype) const;
  /// Slope as a factor, also where the model divides.
  double factor() const { return divides ? 1 / slope : slope; }
  /// E.g. "x * 1.1111112 in f32".
  std::string describe() const;
};

/// Whether the subject declares that its scale may have fewer digits than the
/// dtype: f32 for f64 (LawOptions::scale_keeps_precision).
bool may_narrow_scale(const impl::Law& law, impl::DType dtype);

/// Every way of rounding that is looked for, most natural first.
std::vector<ValueModel> value_models(const impl::Law& law,
                                     const impl::LayerConfig& config);

/// How far a right layer's values may lie from the law's, whatever the order in
/// which it computes them, in units of the last place of |a x| + |b|.
struct ValueTolerance {
  double near = 4;      ///< farther away is another value
  double tolerant = 2;  ///< without a rounding model, nearer is right
  double slope = 1;     ///< of the slope alone, relative to it, in such units
};

/// `precision` is that of the constants. For the law of Scaling::kSelu the
/// constants are several roundings away from p; those are counted.
ValueTolerance value_tolerance(const impl::Law& law,
                               const impl::LayerConfig& config,
                               impl::DType precision);

struct KeptPair {
  double x = 0;
  double y = 0;
};

/// The first model, most natural first, that gives every kept value bit for
/// bit; empty if there is none.
std::optional<ValueModel> find_value_model(const impl::Law& law,
                                           const impl::LayerConfig& config,
                                           std::span<const KeptPair> kept);

/// One unit in the last place of `dtype` at the magnitude of `value`.
double ulp_at(double value, impl::DType dtype);

/// Least-squares line through kept values, for a sentence about wrong ones.
struct Line {
  double slope = 0;
  double offset = 0;
  double largest_residual = 0;
};
Line fit_line(std::span<const KeptPair> kept);

/// The first model with the numbers of a line, rounded to some dtype, that
/// gives every kept value bit for bit: for layers that follow no law.
std::optional<ValueModel> model_of_line(const Line& line, impl::DType dtype,
                                        std::span<const KeptPair> kept);

}  // namespace dropcheck::properties
