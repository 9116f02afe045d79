#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "dropcheck/impl/random_stream.hpp"

namespace dropcheck::properties::testing {

/// Independent decisions, 64 a word.
inline std::vector<std::uint64_t> random_bits(std::size_t words, double drop,
                                              std::uint64_t key) {
  std::vector<std::uint64_t> bits(words);
  impl::RandomStream stream(key);
  for (std::size_t i = 0; i < 64 * words; ++i) {
    const bool dropped =
        std::ldexp(static_cast<double>(stream.next()), -64) < drop;
    bits[i / 64] |= std::uint64_t{dropped} << (i % 64);
  }
  return bits;
}

inline bool bit_at(const std::vector<std::uint64_t>& words, std::size_t i) {
  return ((words[i / 64] >> (i % 64)) & 1U) != 0;
}

inline void set_bit(std::vector<std::uint64_t>& words, std::size_t i,
                    bool value) {
  words[i / 64] &= ~(std::uint64_t{1} << (i % 64));
  words[i / 64] |= std::uint64_t{value} << (i % 64);
}

}  // namespace dropcheck::properties::testing
