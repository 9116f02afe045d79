#pragma once

#include <cstdint>

namespace dropcheck::stats {

/// What a Bernoulli experiment leaves behind: drops among n decisions.
///
/// Values  0 <= drops <= n. Functions that read Counts throw
///         std::domain_error where drops exceeds n.
/// Merge   exact, in any order, on any number of threads.
struct Counts {
  std::uint64_t drops = 0;
  std::uint64_t n = 0;

  Counts& operator+=(const Counts& other) {
    drops += other.drops;
    n += other.n;
    return *this;
  }
  friend bool operator==(const Counts&, const Counts&) = default;
};

/// A closed interval of real numbers, by default all probabilities.
struct Interval {
  double lower = 0;
  double upper = 1;
};

}  // namespace dropcheck::stats
