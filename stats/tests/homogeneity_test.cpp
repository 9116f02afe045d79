// Values by 40-digit arithmetic (STATISTICS 2.b F4); validity by enumeration.
#include "dropcheck/stats/homogeneity.hpp"

#include <array>
#include <bit>
#include <chrono>
#include <cmath>
#include <random>
#include <span>
#include <vector>

#include "dropcheck/stats/beta_binomial.hpp"
#include "masks.hpp"
#include "near.hpp"

namespace dropcheck::stats {
namespace {

constexpr double kA = 20.7232658369;

TEST(HomogeneityJeffreys, ReproducesItsValues) {
  const std::array same = {Counts{100, 1'000}, Counts{100, 1'000}};
  const std::array twice = {Counts{100, 1'000}, Counts{200, 1'000}};
  const std::array three = {Counts{1'000, 10'000}, Counts{1'250, 10'000},
                            Counts{900, 10'000}};
  EXPECT_TRUE(
      agrees(log_homogeneity_jeffreys(same), -7.360430571991003, 1e-12));
  EXPECT_TRUE(
      agrees(log_homogeneity_jeffreys(twice), 12.57255065452567, 1e-12));
  EXPECT_TRUE(
      agrees(log_homogeneity_jeffreys(three), 19.56380845173842, 1e-12));
}

std::vector<Counts> groups_of(std::uint32_t mask, std::array<int, 4> sizes) {
  std::vector<Counts> groups;
  for (const int size : sizes) {
    const std::uint32_t bits = mask & ((1U << size) - 1);
    groups.push_back({static_cast<std::uint64_t>(std::popcount(bits)),
                      static_cast<std::uint64_t>(size)});
    mask >>= size;
  }
  return groups;
}

// Groups of one size, once as pairs and once as their drops.
TEST(Homogeneity, IsTheSameForGroupsOfOneSize) {
  std::mt19937_64 random(7);
  for (const std::uint32_t n : {1U, 30U, 400U, 1'000'000U})
    for (const std::size_t size : {1U, 2U, 100U, 5'000U}) {
      std::vector<std::uint32_t> drops(size);
      std::vector<Counts> groups;
      for (auto& count : drops) {
        count = static_cast<std::uint32_t>(random() % (n + 1));
        groups.push_back({count, n});
      }
      const double expected = log_homogeneity_e_value(groups, .3);
      EXPECT_TRUE(agrees(log_homogeneity_e_value(drops, n, .3), expected, 1e-9))
          << n << " " << size;
    }
  EXPECT_EQ(log_homogeneity_e_value(std::span<const std::uint32_t>(), 5, .3),
            0);
  const std::array zeros = {std::uint32_t{0}, std::uint32_t{0}};
  EXPECT_EQ(log_homogeneity_e_value(zeros, 0, .3), 0);
}

TEST(Homogeneity, RefusesDropsAboveTheSizeOfAGroup) {
  const std::array drops = {std::uint32_t{1}, std::uint32_t{6},
                            std::uint32_t{2}};
  EXPECT_THROW(log_homogeneity_e_value(drops, 5, .3), std::domain_error);
  EXPECT_THROW(log_homogeneity_e_value(drops, 6, 1), std::domain_error);
  EXPECT_THROW(log_homogeneity_e_value(drops, ~std::uint64_t{0}, .3),
               std::domain_error);
}

TEST(Homogeneity, HasMeanAtMostOneUnderEveryCommonRate) {
  for (const std::array<int, 4> sizes :
       {std::array{3, 3, 3, 3}, std::array{1, 2, 4, 5}})
    for (const double p : {.05, .2, .5, .9}) {
      EXPECT_LE(mean_over_masks(12, p,
                                [&](std::uint32_t mask) {
                                  return log_homogeneity_e_value(
                                      groups_of(mask, sizes), .2);
                                }),
                1);
      EXPECT_LE(mean_over_masks(12, p,
                                [&](std::uint32_t mask) {
                                  return log_homogeneity_jeffreys(
                                      groups_of(mask, sizes));
                                }),
                1);
    }
}

double own_rates(std::span<const Counts> groups, double spread) {
  const double tau = spread * .3;
  double sum = 0;
  for (const Counts& group : groups)
    sum += log_martingale(group, prior_around(.3, .3 * .7 / (tau * tau)), .4);
  return std::exp(sum);
}

// Half on every group's own rate, with five spreads; half on one odd group,
// any of them, beside the others together.
TEST(Homogeneity, IsTheMeanOfItsAlternatives) {
  const std::array groups = {Counts{1, 10}, Counts{2, 10}, Counts{9, 10}};
  double even = 0;
  for (const double spread : {.01, .02, .05, .1, .3})
    even += own_rates(groups, spread) / 5;
  double sparse = 0;
  for (const Counts& group : groups) {
    const Counts rest{12 - group.drops, 20};
    sparse += std::exp(log_martingale(group, {.5, .5}, .4)) *
              own_rates({&rest, 1}, .01) / 3;
  }
  EXPECT_NEAR(log_homogeneity_e_value(groups, .3),
              std::log((even + sparse) / 2), 1e-12);
}

// Expected drops per position, rounded: what a typical layer shows.
std::vector<Counts> typical(std::size_t groups, std::uint64_t n, double p) {
  std::mt19937_64 generator(1);
  std::binomial_distribution<std::uint64_t> drops(n, p);
  std::vector<Counts> result;
  for (std::size_t g = 0; g < groups; ++g)
    result.push_back({drops(generator), n});
  return result;
}

TEST(Homogeneity, RefutesOneDeadPositionAmongSixtyFiveThousand) {
  std::vector<Counts> groups = typical(65'536, 400, .1);
  EXPECT_LT(log_homogeneity_e_value(groups, .1), 0);
  groups[12'345].drops = 0;
  EXPECT_GT(log_homogeneity_e_value(groups, .1), kA);
}

// A spread of 5 % over 1000 groups, which the Jeffreys prior cannot see.
TEST(Homogeneity, RefutesASmallSpreadOverManyGroups) {
  std::mt19937_64 generator(2);
  std::normal_distribution<double> rate(.1, .005);
  std::vector<Counts> groups;
  for (int g = 0; g < 1'000; ++g) {
    std::binomial_distribution<std::uint64_t> drops(10'000, rate(generator));
    groups.push_back({drops(generator), 10'000});
  }
  EXPECT_NEAR(log_homogeneity_e_value(groups, .1), 754, 120);
  EXPECT_LT(log_homogeneity_jeffreys(groups), -2'000);
}

TEST(Homogeneity, CostsNoPowerWhereTheSharedRateIsNotTheSpecifiedOne) {
  EXPECT_LT(log_homogeneity_e_value(typical(1'000, 10'000, .12), .1), 0);
}

TEST(Homogeneity, DoesNotDependOnTheOrderOfGroups) {
  std::vector<Counts> groups = typical(500, 10'000, .3);
  const double forward = log_homogeneity_e_value(groups, .3);
  std::reverse(groups.begin(), groups.end());
  EXPECT_EQ(log_homogeneity_e_value(groups, .3), forward);
}

TEST(Homogeneity, SaysNothingWithoutDrops) {
  const std::array groups = {Counts{0, 10}, Counts{0, 10}};
  EXPECT_LE(log_homogeneity_e_value(groups, .1), 0);
  EXPECT_EQ(log_homogeneity_e_value({}, .1), 0);
}

// A generous multiple of the 2 ms it takes, so that a busy machine passes.
TEST(Homogeneity, LooksAtSixtyFiveThousandGroupsInMilliseconds) {
  const std::vector<Counts> groups = typical(65'536, 100'000, .1);
  const auto start = std::chrono::steady_clock::now();
  const double log_e = log_homogeneity_e_value(groups, .1);
  const std::chrono::duration<double, std::milli> elapsed =
      std::chrono::steady_clock::now() - start;
  RecordProperty("milliseconds", std::to_string(elapsed.count()));
  EXPECT_LT(log_e, 0);
  EXPECT_LT(elapsed.count(), 100);
}

}  // namespace
}  // namespace dropcheck::stats
