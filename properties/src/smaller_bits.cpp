#include <cstdint>
#include <limits>

#include "mask_kernels.hpp"

namespace dropcheck::properties {
namespace {

/// Bit patterns of floating-point numbers without their sign are ordered as
/// the magnitudes are; NaN is above infinity.
template <class T>
std::size_t read_smaller(const void* base, const void* values,
                         std::size_t count, T infinity, std::uint64_t* words) {
  constexpr T kMagnitude = std::numeric_limits<T>::max() >> 1U;
  const auto* x = static_cast<const T*>(base);
  const auto* y = static_cast<const T*>(values);
  std::size_t first_nan = count;
  for (std::size_t begin = 0; begin < count; begin += 64) {
    const std::size_t bits = count - begin < 64 ? count - begin : 64;
    std::uint64_t word = 0;
    bool nan = false;
    for (std::size_t j = 0; j < bits; ++j) {
      const T a = x[begin + j];
      const T b = y[begin + j];
      const auto magnitude = static_cast<T>(b & kMagnitude);
      const bool number = magnitude <= infinity;
      const bool crossed = ((a ^ b) & static_cast<T>(~kMagnitude)) != 0;
      const bool smaller = magnitude < static_cast<T>(a & kMagnitude);
      word |= static_cast<std::uint64_t>(number && (crossed || smaller)) << j;
      nan = nan || !number;
    }
    words[begin / 64] = word;
    for (std::size_t j = 0; nan && first_nan == count && j < bits; ++j) {
      if (static_cast<T>(y[begin + j] & kMagnitude) > infinity) {
        first_nan = begin + j;
      }
    }
  }
  return first_nan;
}

}  // namespace

std::size_t read_smaller_bits(impl::DType dtype, const void* base,
                              const void* values, std::size_t count,
                              std::uint64_t* words) {
  switch (dtype) {
    case impl::DType::kFloat64:
      return read_smaller<std::uint64_t>(base, values, count,
                                         0x7FF0000000000000U, words);
    case impl::DType::kFloat32:
      return read_smaller<std::uint32_t>(base, values, count, 0x7F800000U,
                                         words);
    case impl::DType::kFloat16:
      return read_smaller<std::uint16_t>(base, values, count, 0x7C00U, words);
    case impl::DType::kBFloat16:
      return read_smaller<std::uint16_t>(base, values, count, 0x7F80U, words);
  }
  return count;
}

}  // namespace dropcheck::properties
