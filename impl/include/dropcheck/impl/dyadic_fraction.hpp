#pragma once

#include <cstdint>
#include <string>

namespace dropcheck::impl {

/// numerator / 2^exponent in [0, 1], in lowest terms: an exact share of the
/// words of a generator.
struct DyadicFraction {
  std::uint64_t numerator = 0;
  int exponent = 0;  ///< 0 to 64

  /// `count` of the 2^bits words. Throws std::invalid_argument unless bits is
  /// in 0..64 and count at most 2^bits.
  static DyadicFraction of(std::uint64_t count, int bits);

  DyadicFraction complement() const;

  /// Rounded once.
  double value() const;

  /// This less `probability`, right to 52 bits however close they are.
  double error(double probability) const;

  bool operator==(const DyadicFraction&) const = default;
};

/// "13/128", "838861/2^23" from 2^17 on, "0" and "1".
std::string to_string(const DyadicFraction& fraction);

}  // namespace dropcheck::impl
