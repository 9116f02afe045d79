// Values by 40-digit arithmetic (STATISTICS 2.b F5).
#include "dropcheck/stats/p_values.hpp"

#include <array>
#include <vector>

#include "near.hpp"

namespace dropcheck::stats {
namespace {

std::vector<double> logs(std::vector<double> values) {
  for (double& value : values) value = std::log(value);
  return values;
}

const std::vector<double> kFive = logs({1e-4, 2e-3, .03, .2, .6});

TEST(LogBonferroni, ReproducesItsValue) {
  EXPECT_TRUE(agrees(std::exp(log_bonferroni(kFive)), 5e-4, 1e-14));
  EXPECT_EQ(log_bonferroni(logs({.6, .7})), 0);
}

TEST(LogHolm, ReproducesItsValuesInAnyOrder) {
  const std::array expected = {5e-4, .008, .09, .4, .6};
  const std::vector<double> adjusted = log_holm(kFive);
  for (std::size_t i = 0; i < 5; ++i)
    EXPECT_TRUE(agrees(std::exp(adjusted[i]), expected[i], 1e-13)) << i;
  const std::vector<double> swapped = log_holm(logs({.2, 1e-4}));
  EXPECT_TRUE(agrees(std::exp(swapped[0]), .2, 1e-14));
  EXPECT_TRUE(agrees(std::exp(swapped[1]), 2e-4, 1e-14));
}

TEST(LogHolm, NeverAdjustsBelowASmallerPValue) {
  const std::vector<double> adjusted = log_holm(logs({.02, .021, .021}));
  for (const double value : adjusted)
    EXPECT_TRUE(agrees(std::exp(value), .06, 1e-13));
}

TEST(LogFisher, ReproducesItsValue) {
  EXPECT_TRUE(agrees(std::exp(log_fisher(kFive)), 7.1871562961e-6, 1e-10));
  EXPECT_TRUE(agrees(log_fisher(std::array{-250'000.0}), -250'000, 1e-12));
}

TEST(LogHarmonicMean, PaysForUnknownDependence) {
  EXPECT_TRUE(
      agrees(std::exp(log_harmonic_mean(kFive)), 2.07538227296e-3, 1e-11));
  EXPECT_TRUE(agrees(std::exp(log_harmonic_mean(kFive)),
                     4.74383301708e-4 * std::exp(1.0) * std::log(5.0), 1e-11));
  EXPECT_EQ(log_harmonic_mean(std::array{-3.0}), -3);
}

// m - 1 p-values of 1 and one so dependent that it is small exactly when no
// other is: the harmonic mean alone would be exceeded too often.
TEST(LogHarmonicMean, IsAtLeastBonferroniForTwo) {
  for (const double second : {1e-12, 1e-3, .5, 1.0}) {
    const std::vector<double> pair = logs({1e-3, second});
    EXPECT_GE(log_harmonic_mean(pair), log_bonferroni(pair) - 1e-12);
  }
}

TEST(LogCalibratedE, ReproducesItsValues) {
  double mean = 0;
  for (const double log_p : kFive)
    mean += std::exp(log_calibrated_e(log_p, .5)) / 5;
  EXPECT_TRUE(agrees(mean, 13.1661244893, 1e-11));
  EXPECT_TRUE(agrees(std::exp(log_calibrated_e(std::log(1e-12), .05)),
                     1.25594e10, 1e-5));
  EXPECT_TRUE(
      agrees(std::exp(log_calibrated_e(std::log(1e-12))), 1.309803451e9, 1e-9));
}

TEST(LogCalibratedE, IsOneHalfAtOneAndSmoothThere) {
  EXPECT_TRUE(agrees(std::exp(log_calibrated_e(0)), .5, 1e-15));
  EXPECT_NEAR(log_calibrated_e(-.1 - 1e-9), log_calibrated_e(-.1 + 1e-9), 1e-8);
}

TEST(LogCalibratedE, StaysFiniteWhereEvenTheLogarithmIsLarge) {
  EXPECT_TRUE(agrees(log_calibrated_e(-230'000),
                     230'000 - 2 * std::log(230'000.0), 1e-14));
}

// The integral of an e-value over uniform p is 1; midpoints in ln p.
TEST(LogCalibratedE, HasMeanOneOverUniformPValues) {
  double mean = 0;
  double mixed = 0;
  const double step = 1e-3;
  for (double x = -step / 2; x > -400; x -= step) {
    mean += step * std::exp(x + log_calibrated_e(x, .3));
    mixed += step * std::exp(x + log_calibrated_e(x));
  }
  EXPECT_NEAR(mean, 1, 1e-6);
  // Beyond x lies 1 / |x|.
  EXPECT_NEAR(mixed + 1.0 / 400, 1, 1e-6);
}

}  // namespace
}  // namespace dropcheck::stats
