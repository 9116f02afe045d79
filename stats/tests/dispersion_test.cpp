// Values by 40-digit arithmetic; validity by enumeration of all masks of twelve
// units in four groups.
#include "dropcheck/stats/dispersion.hpp"

#include <array>
#include <bit>
#include <cmath>
#include <numeric>
#include <random>

#include "masks.hpp"
#include "near.hpp"

namespace dropcheck::stats {
namespace {

constexpr double kA = 20.7232658369;
constexpr Interval kAnyRate{0, 1};

Dispersion of(std::uint64_t size, double p0,
              std::initializer_list<std::uint64_t> drops) {
  Dispersion groups(size, p0);
  for (const std::uint64_t count : drops) groups.add(count);
  return groups;
}

TEST(Dispersion, ReproducesItsValues) {
  const Dispersion groups =
      of(256, .1, {20, 31, 18, 29, 33, 12, 26, 26, 40, 22});
  EXPECT_TRUE(
      agrees(groups.log_any_law_e_value(kAnyRate), -1.110663673271768, 1e-11));
  EXPECT_TRUE(
      agrees(groups.log_own_rate_e_value(kAnyRate), 1.697541894767567, 1e-11));
  const Interval narrow{.09, .095};
  EXPECT_TRUE(
      agrees(groups.log_any_law_e_value(narrow), -.68515478859715811, 1e-11));
  EXPECT_TRUE(
      agrees(groups.log_own_rate_e_value(narrow), 2.1230507794421769, 1e-11));
  EXPECT_NEAR(
      groups.log_e_value(kAnyRate),
      std::log((std::exp(-1.110663673271768) + std::exp(1.697541894767567)) /
               2),
      1e-11);
}

Dispersion four_groups(std::uint32_t mask, double p0) {
  Dispersion groups(3, p0);
  for (int g = 0; g < 4; ++g)
    groups.add(static_cast<std::uint64_t>(std::popcount(mask >> 3 * g & 7U)));
  return groups;
}

double mean_of_e(double p, Interval null_rates) {
  return mean_over_masks(12, p, [&](std::uint32_t mask) {
    return four_groups(mask, .3).log_e_value(null_rates);
  });
}

TEST(Dispersion, HasMeanOneAgainstOneKnownRate) {
  EXPECT_NEAR(mean_of_e(.3, {.3, .3}), 1, 1e-12);
}

TEST(Dispersion, HasMeanAtMostOneAgainstEveryRateOfTheNull) {
  for (const double p : {.05, .2, .3, .5, .95}) {
    EXPECT_LE(mean_of_e(p, kAnyRate), 1);
    EXPECT_LE(mean_of_e(p, {p - .04, p + .02}), 1);
  }
}

// Cells of several counts, under laws other than the one they are made for.
TEST(Dispersion, HasMeanAtMostOneWhereCellsJoinCounts) {
  for (const double p : {.2, .5, .7}) {
    double mean = 0;
    for (std::uint64_t a = 0; a <= 40; ++a)
      for (std::uint64_t b = 0; b <= 40; ++b) {
        const auto mass = [&](std::uint64_t k) {
          const double x = static_cast<double>(k);
          return std::exp(std::lgamma(41) - std::lgamma(x + 1) -
                          std::lgamma(41 - x) + x * std::log(p) +
                          (40 - x) * std::log1p(-p));
        };
        mean += mass(a) * mass(b) *
                std::exp(of(40, .5, {a, b}).log_e_value({p, p}));
      }
    if (p == .5) {
      EXPECT_NEAR(mean, 1, 1e-11);
    } else {
      EXPECT_LE(mean, 1 + 1e-11);
    }
  }
}

TEST(Dispersion, RefutesAFixedNumberOfDropsInFifteenGroups) {
  for (const double p : {.05, .1, .3, .5, .9})
    for (const std::uint64_t size : {512U, 1'024U, 4'096U, 65'536U}) {
      Dispersion groups(size, p);
      const auto fixed =
          static_cast<std::uint64_t>(std::round(p * static_cast<double>(size)));
      groups.add(fixed, 16);
      EXPECT_GT(groups.log_e_value(kAnyRate), kA) << p << " of " << size;
      EXPECT_EQ(groups.variance_ratio(), 0);
    }
}

// A rate of its own for each call, spread by 5 %: three times the variance.
TEST(Dispersion, RefutesARateDrawnForEveryGroup) {
  std::mt19937_64 generator(1);
  std::normal_distribution<double> rate(.1, .005);
  Dispersion groups(4'096, .1);
  for (int g = 0; g < 200; ++g) {
    std::binomial_distribution<std::uint64_t> drops(4'096, rate(generator));
    groups.add(drops(generator));
  }
  EXPECT_GT(groups.log_e_value(kAnyRate), kA);
  EXPECT_GT(groups.log_own_rate_e_value(kAnyRate), kA);
  EXPECT_GT(groups.variance_ratio(), 1.4);
}

TEST(Dispersion, KeepsIndependentUnitsOfAnyRate) {
  std::mt19937_64 generator(2);
  for (const double p : {.05, .1, .5, .9})
    for (const double p0 : {p, p * 1.01}) {
      std::binomial_distribution<std::uint64_t> drops(4'096, p);
      Dispersion groups(4'096, p0);
      for (int g = 0; g < 2'000; ++g) groups.add(drops(generator));
      EXPECT_LT(groups.log_e_value(kAnyRate), 3);
      EXPECT_NEAR(groups.variance_ratio(), 1, .25);
    }
}

TEST(Dispersion, DoesNotDependOnTheOrderNorOnMerging) {
  const Dispersion forward = of(64, .3, {20, 11, 17, 30, 20});
  Dispersion merged = of(64, .3, {30, 17});
  merged.merge(of(64, .3, {20, 20, 11}));
  EXPECT_EQ(forward.log_e_value(kAnyRate), merged.log_e_value(kAnyRate));
  EXPECT_EQ(forward.all(), merged.all());
  EXPECT_EQ(forward.groups(), 5);
}

// Drops 3 and 5 of 10 have a sample variance of 2; the law's is 10 .4 .6.
TEST(Dispersion, HasTheSampleVarianceOverTheBinomialOne) {
  EXPECT_NEAR(of(10, .3, {3, 5}).variance_ratio(), 2 / 2.4, 1e-12);
}

TEST(Dispersion, SaysNothingWithoutGroupsOrInGroupsOfOne) {
  EXPECT_EQ(Dispersion(64, .3).log_e_value(kAnyRate), 0);
  EXPECT_LE(of(1, .3, {0, 1, 1, 0}).log_e_value(kAnyRate), 0);
  EXPECT_EQ(of(1, .3, {0, 1, 1, 0}).log_own_rate_e_value(kAnyRate), 0);
}

TEST(Dispersion, RejectsWhatDoesNotAddUp) {
  EXPECT_THROW(Dispersion(0, .3), std::domain_error);
  EXPECT_THROW(Dispersion(64, 0), std::domain_error);
  EXPECT_THROW(of(64, .3, {65}), std::domain_error);
  Dispersion groups = of(64, .3, {20});
  EXPECT_THROW(groups.merge(Dispersion(32, .3)), std::domain_error);
  EXPECT_THROW(groups.merge(Dispersion(64, .2)), std::domain_error);
  EXPECT_THROW(groups.log_e_value({.5, .4}), std::domain_error);
  EXPECT_THROW(log_cell_e_value(groups.cell_counts(), {20, 63}, groups.cells(),
                                kAnyRate),
               std::domain_error);
  EXPECT_THROW(log_cell_e_value({}, groups.all(), groups.cells(), kAnyRate),
               std::invalid_argument);
}

TEST(CountCells, CoverEveryNumberOfDropsOnce) {
  for (const double p : {.001, .05, .5, .999})
    for (const std::uint64_t size : {1U, 2U, 64U, 4'096U}) {
      const CountCells cells(size, p);
      const auto shares = cells.probabilities();
      EXPECT_LE(cells.number(), 16);
      EXPECT_NEAR(std::accumulate(shares.begin(), shares.end(), 0.), 1, 1e-12);
      EXPECT_EQ(cells.cell_of(0), 0);
      EXPECT_EQ(cells.cell_of(size), cells.number() - 1);
      for (const double share : shares) EXPECT_GT(share, 0);
    }
}

}  // namespace
}  // namespace dropcheck::stats
