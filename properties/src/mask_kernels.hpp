#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "dropcheck/impl/dtype.hpp"

namespace dropcheck::properties {

/// How one element type is read as a mask: bit patterns, never arithmetic.
struct MaskReading {
  impl::DType dtype = impl::DType::kFloat32;
  /// Kept value of every element, in the dtype; nullptr accepts any value that
  /// is not the dropped one as kept.
  const void* kept = nullptr;
  std::uint64_t dropped = 0;  ///< bit pattern of the dropped value
  bool ignore_sign = false;   ///< dropped value is a zero of either sign
};

/// Reads `count` elements as drop bits, 64 a word, 1 = dropped; bits past the
/// end are 0. Returns the index of the first element that is neither kept nor
/// dropped, or `count`; such elements count as kept.
std::size_t read_drop_bits(const MaskReading& reading, const void* values,
                           std::size_t count, std::uint64_t* words);

/// Reads `count` results as bits, 1 where result / base is below 1: the signs
/// differ, or they agree and the magnitude is smaller. A result that equals its
/// base, or is NaN, counts as 0. Returns the index of the first NaN, or
/// `count`.
std::size_t read_smaller_bits(impl::DType dtype, const void* base,
                              const void* values, std::size_t count,
                              std::uint64_t* words);

/// Number of set bits.
std::uint64_t popcount(const std::uint64_t* words, std::size_t count);

/// histogram[j] += number of words with j set bits, j in 0..64.
void count_groups(const std::uint64_t* words, std::size_t count,
                  std::uint64_t* histogram);

/// Number of positions set in both.
std::uint64_t popcount_and(const std::uint64_t* a, const std::uint64_t* b,
                           std::size_t count);

/// Number of i with bit i and bit i + lag both set, among `bits` bits. Words
/// past the last one of the bits are not read.
std::uint64_t joint_at_lag(const std::uint64_t* words, std::size_t bits,
                           std::size_t lag);

/// The lags that `joint_at_short_lags` counts: 1 up to this one.
inline constexpr std::size_t kShortLags = 63;

/// `joint_at_lag` for all short lags at once: counts[lag - 1]. Reads each word
/// once for seven lags.
void joint_at_short_lags(const std::uint64_t* words, std::size_t bits,
                         std::uint64_t* counts);

/// counts[j] = number of set bits among the first places[j] <= bits.
void count_before(const std::uint64_t* words, std::size_t bits,
                  std::span<const std::size_t> places, std::uint64_t* counts);

/// counters[i] += bit i.
void add_bits(const std::uint64_t* words, std::size_t bits,
              std::uint16_t* counters);

/// The same for so many rows, `stride` words apart: the time of one add_bits
/// serves fifteen.
void add_rows(const std::uint64_t* rows, std::size_t stride, std::size_t count,
              std::size_t bits, std::uint16_t* counters);

}  // namespace dropcheck::properties
