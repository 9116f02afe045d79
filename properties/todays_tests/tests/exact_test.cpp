// The exact binomial arithmetic behind the false-alarm rates, beside the
// definitions, count by count.
#include "exact.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "dropcheck/stats/binomial_tail.hpp"

namespace dropcheck::properties::todays_tests {
namespace {

double mass(std::uint64_t k, std::uint64_t n, double probability) {
  return std::exp(stats::log_mass(k, n, probability));
}

/// The definition: all counts that are no more likely than k.
double two_sided_by_definition(std::uint64_t k, std::uint64_t n,
                               double probability) {
  double sum = 0;
  for (std::uint64_t j = 0; j <= n; ++j) {
    if (mass(j, n, probability) <= mass(k, n, probability) * (1 + 1e-7)) {
      sum += mass(j, n, probability);
    }
  }
  return sum;
}

TEST(TwoSidedP, IsTheSumOverCountsThatAreNoMoreLikely) {
  for (const std::uint64_t n : {1U, 2U, 5U, 20U, 101U}) {
    for (const double probability : {0.1, 0.2, 0.5, 0.8}) {
      for (std::uint64_t k = 0; k <= n; ++k) {
        const double expected = two_sided_by_definition(k, n, probability);
        EXPECT_NEAR(two_sided_p(k, n, probability), expected, 1e-9 * expected)
            << k << " of " << n << " at " << probability;
      }
    }
  }
}

TEST(AcceptedCounts, AreThoseWithALargePValue) {
  for (const double probability : {0.1, 0.5, 0.7}) {
    for (const double level : {1e-6, 0.01, 0.3}) {
      const CountRange range = accepted_counts(60, probability, level);
      double rejected = 0;
      for (std::uint64_t k = 0; k <= 60; ++k) {
        const bool accepted =
            two_sided_by_definition(k, 60, probability) > level;
        EXPECT_EQ(range.contains(k), accepted) << k << " at " << probability;
        if (!accepted) rejected += mass(k, 60, probability);
      }
      EXPECT_NEAR(outside(range, 60, probability), rejected, 1e-9 * rejected);
      EXPECT_LE(rejected, level);
    }
  }
}

TEST(RejectedMass, IsATailWhereTheAssertionIsALimit) {
  const double tail = rejected_mass(50, 0.3, [](double k) { return k < 25; });
  EXPECT_NEAR(tail, std::exp(stats::log_upper_tail(25, 50, 0.3)), 1e-9 * tail);
}

}  // namespace
}  // namespace dropcheck::properties::todays_tests
