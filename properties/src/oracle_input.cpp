#include "oracle_input.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "dropcheck/impl/random_stream.hpp"

namespace dropcheck::properties {
namespace {

constexpr double kDistanceFromFill = 0.125;

double value_of(std::uint64_t word, int fraction_bits, int exponents) {
  const auto fraction = static_cast<double>(word >> (64 - fraction_bits));
  const double significand =
      1 + fraction / static_cast<double>(std::uint64_t{1} << fraction_bits);
  const int exponent =
      static_cast<int>(word % static_cast<unsigned>(exponents)) - exponents / 2;
  const double power = exponent < 0 ? 1 / static_cast<double>(1U << -exponent)
                                    : static_cast<double>(1U << exponent);
  return ((word & 8U) != 0 ? -significand : significand) * power;
}

}  // namespace

impl::Tensor make_input(const impl::Law& law, const impl::LayerConfig& config,
                        const impl::Shape& shape, std::uint64_t key) {
  impl::Tensor input(config.dtype, shape);
  const std::size_t width = impl::size_of(config.dtype);
  std::byte* element = input.bytes();
  const int bits = impl::significand_bits(config.dtype) - 1;
  // Scores must not be so far apart that a softmax underflows.
  const int exponents = law.base == impl::Base::kEvaluation ? 2 : 7;
  const double fill = impl::affine(law, config).c;
  impl::RandomStream words(key);
  const std::int64_t count = input.size();
  for (std::int64_t i = 0; i < count; ++i, element += width) {
    double value = fill;
    while (value == fill ||
           std::abs(value - fill) < kDistanceFromFill * (fill != 0)) {
      value = value_of(words.next(), std::min(bits, 32), exponents);
    }
    impl::store(value, element, config.dtype);
  }
  return input;
}

impl::Tensor make_normal(impl::DType dtype, const impl::Shape& shape,
                         std::uint64_t key) {
  impl::Tensor input(dtype, shape);
  const impl::TensorView view = input.view();
  impl::RandomStream words(key);
  const std::int64_t count = view.size();
  for (std::int64_t i = 0; i < count; ++i) {
    const double u = (static_cast<double>(words.next() >> 11U) + 0.5) * 0x1p-53;
    const double v = static_cast<double>(words.next() >> 11U) * 0x1p-53;
    view.set(i,
             std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * v));
  }
  return input;
}

}  // namespace dropcheck::properties
