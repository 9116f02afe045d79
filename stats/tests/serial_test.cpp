// Exact means and variances by enumeration of all masks, and the value of
// STATISTICS 2.b F3.
#include "dropcheck/stats/serial.hpp"

#include <numbers>

#include "dropcheck/stats/binomial_tail.hpp"
#include "masks.hpp"
#include "near.hpp"

namespace dropcheck::stats {
namespace {

constexpr int kBits = 12;

bool bit(std::uint32_t mask, int i) { return (mask >> i) & 1U; }

TwoByTwo pairs_at(std::uint32_t mask, int lag) {
  TwoByTwo pairs;
  for (int i = 0; i + lag < kBits; ++i) {
    const bool later = bit(mask, i + lag);
    auto& cell = bit(mask, i)
                     ? (later ? pairs.dropped_dropped : pairs.dropped_kept)
                     : (later ? pairs.kept_dropped : pairs.kept_kept);
    ++cell;
  }
  return pairs;
}

Transitions transitions_of(std::uint32_t mask) {
  const TwoByTwo pairs = pairs_at(mask, 1);
  return {pairs.dropped_kept + pairs.kept_dropped, kBits};
}

// The mean of z and of z^2 over all masks.
template <typename Statistic>
void expect_standardised(double p, const Statistic& z) {
  const auto mean_of = [&](const auto& power) {
    double mean = 0;
    for (std::uint32_t mask = 0; mask < (1U << kBits); ++mask) {
      const int drops = std::popcount(mask);
      mean +=
          std::pow(p, drops) * std::pow(1 - p, kBits - drops) * power(z(mask));
    }
    return mean;
  };
  EXPECT_NEAR(mean_of([](double x) { return x; }), 0, 1e-12) << p;
  EXPECT_NEAR(mean_of([](double x) { return x * x; }), 1, 1e-11) << p;
}

TEST(LagSumTest, DividesByTheExactDeviation) {
  for (const double p : {.1, .5, .8})
    for (const int lag : {1, 3, 7})
      expect_standardised(p, [&](std::uint32_t mask) {
        return lag_sum_test(pairs_at(mask, lag), p).statistic;
      });
}

TEST(TransitionsTest, DividesByTheExactDeviation) {
  for (const double p : {.1, .5, .8})
    expect_standardised(p, [&](std::uint32_t mask) {
      return transitions_test(transitions_of(mask), p).statistic;
    });
}

TEST(TransitionsTest, HasTheTabledVariance) {
  const double z = transitions_test({46, 200}, .1).statistic;
  EXPECT_NEAR((46 - 199 * .18) / z, std::sqrt(52.182), 1e-4);
}

TEST(SerialTests, AreExactForFairCoins) {
  const Diagnostic changes = transitions_test({700, 1'001}, .5);
  EXPECT_TRUE(changes.valid_at_level);
  EXPECT_TRUE(agrees(changes.log10_p,
                     log_two_sided_p(700, 1'000, .5) / std::numbers::ln10,
                     1e-14));
  const Diagnostic lags = lag_sum_test({.dropped_dropped = 400,
                                        .dropped_kept = 150,
                                        .kept_dropped = 150,
                                        .kept_kept = 300},
                                       .5);
  EXPECT_TRUE(lags.valid_at_level);
  EXPECT_TRUE(agrees(lags.log10_p, changes.log10_p, 1e-14));
  EXPECT_NEAR(lags.statistic, 400 / std::sqrt(1'000.0), 1e-12);
}

TEST(SerialTests, SayThatTheirTailIsNotExactElsewhere) {
  const Diagnostic test = transitions_test({20'000, 100'001}, .1);
  EXPECT_FALSE(test.valid_at_level);
  EXPECT_NE(test.note.find("asymptotic"), std::string::npos);
  EXPECT_LT(test.log10_p, -20);
  EXPECT_TRUE(std::isfinite(test.log10_p));
}

}  // namespace
}  // namespace dropcheck::stats
