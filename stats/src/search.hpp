#pragma once

#include <cstdint>

namespace dropcheck::stats {

/// The smallest k in [0, n + 1] from which on `holds` is true.
template <typename Holds>
std::uint64_t first_true(std::uint64_t n, const Holds& holds) {
  std::uint64_t low = 0;
  std::uint64_t high = n + 1;
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    if (holds(middle)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

}  // namespace dropcheck::stats
