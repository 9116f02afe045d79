// The constants of alpha dropout are several roundings away from p, in an order
// that every library chooses for itself. Whatever the order, a right layer is
// read and follows the law; constants of another precision do not.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "dropcheck/impl/selu.hpp"
#include "mask_reader.hpp"
#include "oracle_input.hpp"
#include "value_model.hpp"

namespace dropcheck::properties {
namespace {

using impl::DType;
using impl::LayerConfig;
using impl::Tensor;

/// What a layer computes once from p.
template <class T>
struct Constants {
  T a = 0;
  T kept = 0;
  T dropped = 0;
};

// aten/src/ATen/native/Dropout.cpp: noise is 0 or 1, b is
// (noise - 1) * alpha * a + alpha * a * p, and the constant is one off.
template <class T>
Constants<T> as_pytorch(T p) {
  const T alpha = T(1.7580993408473766);
  const T a = 1 / std::sqrt((alpha * alpha * p + 1) * (1 - p));
  const T shift = alpha * a * p;
  return {a, shift, -(alpha * a) + shift};
}

// keras/src/layers/regularization/alpha_dropout.py.
template <class T>
Constants<T> as_keras(T p) {
  const T alpha = -T(1.6732632423543772) * T(1.0507009873554805);
  const T a = std::pow((1 - p) * (1 + p * (alpha * alpha)), T(-0.5));
  const T b = -a * alpha * p;
  return {a, b, a * alpha + b};
}

// y = a * (x or alpha) + b, with another grouping of everything.
template <class T>
Constants<T> as_grouped(T p) {
  const T alpha = -T(impl::kSeluLambda) * T(impl::kSeluAlpha);
  const T keep = 1 - p;
  const T a = 1 / std::sqrt(keep + alpha * alpha * keep * p);
  const T b = -alpha * p * a;
  return {a, b, alpha * a * keep};
}

template <class T>
using Formula = Constants<T> (*)(T);

template <class T>
std::vector<Formula<T>> formulas() {
  return {as_pytorch<T>, as_keras<T>, as_grouped<T>};
}

LayerConfig config_at(double p, DType dtype) {
  return {.layer = "alpha_dropout", .drop_probability = p, .dtype = dtype};
}

/// Results of 64 elements, every other one dropped.
template <class T>
Tensor results(const Tensor& input, const Constants<T>& constants) {
  Tensor output(input.dtype(), input.shape());
  for (std::int64_t i = 0; i < input.size(); ++i) {
    const T x = static_cast<T>(input.view().value(i));
    const T y =
        i % 2 == 0 ? x * constants.a + constants.kept : constants.dropped;
    output.view().set(i, static_cast<double>(y));
  }
  return output;
}

template <class T>
MaskReader reader_of(const LayerConfig& config, const Tensor& input,
                     const Constants<T>& constants) {
  const std::vector<Tensor> outputs{results(input, constants)};
  return {*impl::find_law("alpha_dropout"), config, input, outputs};
}

Tensor input_for(const LayerConfig& config) {
  return make_input(*impl::find_law("alpha_dropout"), config, {64}, 11);
}

std::vector<double> probabilities() {
  std::vector<double> all{0.328, 0.125, 1 / 3.0, 0x1p-9, 1 - 0x1p-9};
  for (int k = 1; k < 999; k += 13) all.push_back(k / 1000.0);
  return all;
}

template <class T>
void expect_every_order_is_read(DType dtype) {
  for (const double p : probabilities()) {
    const LayerConfig config = config_at(p, dtype);
    const Tensor input = input_for(config);
    for (const Formula<T> formula : formulas<T>()) {
      const MaskReader reader =
          reader_of(config, input, formula(static_cast<T>(p)));
      ASSERT_TRUE(reader.follows_law())
          << p << ": " << reader.largest_error_ulp();
      std::uint64_t mask = 0;
      ASSERT_EQ(reader.read(results(input, formula(static_cast<T>(p))).bytes(),
                            &mask),
                64U)
          << p;
      ASSERT_EQ(mask, 0xAAAAAAAAAAAAAAAAU) << p;
    }
  }
}

TEST(AlphaConstants, InDoubleAreReadInEveryOrder) {
  expect_every_order_is_read<double>(DType::kFloat64);
}

TEST(AlphaConstants, InFloatAreReadInEveryOrder) {
  expect_every_order_is_read<float>(DType::kFloat32);
}

// The bound is not empty: constants of the next narrower precision break it,
// and so does a relative error of 1e-13.
TEST(AlphaConstants, OfAnotherPrecisionAreNotThoseOfTheLaw) {
  for (const double p : probabilities()) {
    const LayerConfig config = config_at(p, DType::kFloat64);
    const Tensor input = input_for(config);
    const Constants<float> narrow = as_pytorch(static_cast<float>(p));
    const Constants<double> widened{narrow.a, narrow.kept, narrow.dropped};
    EXPECT_FALSE(reader_of(config, input, widened).follows_law()) << p;
    Constants<double> off = as_pytorch(p);
    off.a *= 1 + 1e-13;
    EXPECT_FALSE(reader_of(config, input, off).follows_law()) << p;
  }
}

// PyTorch in bf16 at p = .999: -27.5 + 27.5 where -0.0275 is due. The dropped
// value is 0, and a few kept values come nearer to the law's.
TEST(AlphaConstants, MayCancelToADroppedZero) {
  const LayerConfig config = config_at(0.999, DType::kBFloat16);
  const Tensor input = input_for(config);
  Tensor output(DType::kBFloat16, input.shape());
  output.view().set(5, -0.03125);
  const std::vector<Tensor> outputs{output};
  const MaskReader reader(*impl::find_law("alpha_dropout"), config, input,
                          outputs);
  EXPECT_EQ(reader.dropped_value(), 0);
}

TEST(ValueTolerance, IsThatOfPlainDropoutWhereNothingCancels) {
  const impl::Law& dropout = *impl::find_law("dropout");
  const impl::Law& alpha = *impl::find_law("alpha_dropout");
  const LayerConfig config = config_at(0.3, DType::kFloat64);
  EXPECT_EQ(value_tolerance(dropout, config, DType::kFloat64).tolerant, 2);
  EXPECT_EQ(value_tolerance(alpha, config, DType::kBFloat16).near, 4);
  EXPECT_LT(value_tolerance(alpha, config, DType::kFloat64).near, 16);
  EXPECT_GT(value_tolerance(alpha, config, DType::kFloat32).near,
            value_tolerance(alpha, config, DType::kFloat64).near);
}

}  // namespace
}  // namespace dropcheck::properties
