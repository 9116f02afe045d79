#pragma once

#include <cstdint>
#include <functional>

namespace dropcheck::properties::todays_tests {

/// P(the assertion fails) where it sees how many of n independent decisions
/// keep: the sum of the binomial masses of the counts that it does not accept.
double rejected_mass(std::uint64_t n, double keep,
                     const std::function<bool(double kept)>& accepts);

/// The exact two-sided binomial p-value of k: all counts together that are no
/// more likely, with the tolerance of 1e-7 that SciPy's binomtest has.
double two_sided_p(std::uint64_t k, std::uint64_t n, double probability);

/// The counts, ends included, whose two_sided_p is above a level.
struct CountRange {
  std::uint64_t lower = 0;
  std::uint64_t upper = 0;
  bool contains(std::uint64_t count) const {
    return lower <= count && count <= upper;
  }
};
CountRange accepted_counts(std::uint64_t n, double probability, double level);

/// P(count outside the range) for Binomial(n, probability).
double outside(const CountRange& range, std::uint64_t n, double probability);

}  // namespace dropcheck::properties::todays_tests
