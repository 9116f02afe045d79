#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace dropcheck::properties {

/// Two polynomials of a mask modulo 2^61 - 1: 122 bits that stand for it.
struct Fingerprint {
  std::uint64_t first = 0;
  std::uint64_t second = 0;
  auto operator<=>(const Fingerprint&) const = default;
};

/// Fingerprints at two points drawn by a key. Two masks of w words that differ
/// have the same one with probability at most (2 w / 2^60)^2.
class Fingerprinter {
 public:
  explicit Fingerprinter(std::uint64_t key);
  Fingerprint of(const std::uint64_t* words, std::size_t count) const;

 private:
  std::uint64_t first_point_;
  std::uint64_t second_point_;
};

/// How often masks of a list agree.
struct Duplicates {
  std::uint64_t pairs = 0;
  /// Positions in the list of the pair whose later member comes first.
  std::optional<std::pair<std::size_t, std::size_t>> first;
};

Duplicates find_duplicates(const std::vector<Fingerprint>& fingerprints);

}  // namespace dropcheck::properties
