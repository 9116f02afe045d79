#include "oracle_input.hpp"

#include <cmath>
#include <numbers>

#include "dropcheck/impl/random_stream.hpp"

namespace dropcheck::properties {
namespace {

constexpr double kDistanceFromFill = 0.125;

double value_of(std::uint64_t word, int fraction_bits, int exponents) {
  const auto fraction = word >> (64 - fraction_bits);
  const double significand =
      1 + std::ldexp(static_cast<double>(fraction), -fraction_bits);
  const int exponent =
      static_cast<int>(word % static_cast<unsigned>(exponents)) - exponents / 2;
  return std::ldexp((word & 8U) != 0 ? -significand : significand, exponent);
}

}  // namespace

impl::Tensor make_input(const impl::Law& law, const impl::LayerConfig& config,
                        const impl::Shape& shape, std::uint64_t key) {
  impl::Tensor input(config.dtype, shape);
  const impl::TensorView view = input.view();
  const int bits = impl::significand_bits(config.dtype) - 1;
  // Scores must not be so far apart that a softmax underflows.
  const int exponents = law.base == impl::Base::kEvaluation ? 2 : 7;
  const double fill = impl::affine(law, config).c;
  for (std::int64_t i = 0; i < view.size(); ++i) {
    double value = fill;
    for (std::uint64_t attempt = 0;
         value == fill ||
         std::abs(value - fill) < kDistanceFromFill * (fill != 0);
         ++attempt) {
      value = value_of(
          impl::keyed_word(key, static_cast<std::uint64_t>(i), attempt),
          bits < 32 ? bits : 32, exponents);
    }
    view.set(i, value);
  }
  return input;
}

impl::Tensor make_normal(impl::DType dtype, const impl::Shape& shape,
                         std::uint64_t key) {
  impl::Tensor input(dtype, shape);
  const impl::TensorView view = input.view();
  for (std::int64_t i = 0; i < view.size(); ++i) {
    const auto index = static_cast<std::uint64_t>(i);
    const double u = std::ldexp(
        static_cast<double>(impl::keyed_word(key, index, 0) >> 11U) + 0.5, -53);
    const double v = std::ldexp(
        static_cast<double>(impl::keyed_word(key, index, 1) >> 11U), -53);
    view.set(i,
             std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * v));
  }
  return input;
}

}  // namespace dropcheck::properties
