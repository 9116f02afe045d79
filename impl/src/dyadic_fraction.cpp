#include "dropcheck/impl/dyadic_fraction.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <stdexcept>

namespace dropcheck::impl {
namespace {

constexpr int kMostBits = 64;
/// Denominators up to here are read at a glance.
constexpr int kWrittenOut = 16;

std::uint64_t power_of_two(int exponent) {
  return std::uint64_t{1} << static_cast<unsigned>(exponent);
}

}  // namespace

DyadicFraction DyadicFraction::of(std::uint64_t count, int bits) {
  if (bits < 0 || bits > kMostBits) {
    throw std::invalid_argument(
        fmt::format("bits is {}, but must be 0 to {}", bits, kMostBits));
  }
  if (bits < kMostBits && count > power_of_two(bits)) {
    throw std::invalid_argument(
        fmt::format("count is {}, but must be at most 2^{}", count, bits));
  }
  if (count == 0) return {};
  const int common = std::min(std::countr_zero(count), bits);
  return {count >> static_cast<unsigned>(common), bits - common};
}

// 2^64 - n is -n modulo 2^64, and n is odd there.
DyadicFraction DyadicFraction::complement() const {
  if (exponent == kMostBits) return {0 - numerator, exponent};
  return of(power_of_two(exponent) - numerator, exponent);
}

double DyadicFraction::value() const {
  return std::ldexp(static_cast<double>(numerator), -exponent);
}

// The upper half is exact in a double, and so is its difference from a close
// probability (Sterbenz); the lower half comes last.
double DyadicFraction::error(double probability) const {
  const auto upper = static_cast<double>(numerator >> 32U);
  const auto lower = static_cast<double>(numerator & 0xffffffffU);
  const double difference = std::ldexp(upper, 32 - exponent) - probability;
  return difference + std::ldexp(lower, -exponent);
}

std::string to_string(const DyadicFraction& fraction) {
  const auto [numerator, exponent] = fraction;
  if (exponent == 0) return fmt::format("{}", numerator);
  if (exponent <= kWrittenOut) {
    return fmt::format("{}/{}", numerator, power_of_two(exponent));
  }
  return fmt::format("{}/2^{}", numerator, exponent);
}

}  // namespace dropcheck::impl
