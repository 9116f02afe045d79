// Values by 40-digit arithmetic (STATISTICS 2.c F5); validity by enumeration.
#include "dropcheck/stats/betting.hpp"

#include <array>
#include <bit>
#include <random>
#include <vector>

#include "masks.hpp"
#include "near.hpp"

namespace dropcheck::stats {
namespace {

constexpr double kA = 20.7232658369;

TEST(BettingCapital, ReproducesItsValues) {
  const std::array x = {1., 0., 1., 1., 0., 1., 1., 1.};
  const double up = std::exp(log_betting_capital(x, .5, .5));
  const double down = std::exp(log_betting_capital(x, .5, -.5));
  EXPECT_TRUE(agrees(up, 2.14576721191406, 1e-14));
  EXPECT_TRUE(agrees(down, 0.278091430664063, 1e-14));
  EXPECT_TRUE(agrees((up + down) / 2, 1.21192932128906, 1e-14));
  const std::array y = {.2, .9, .4, .7, .7, .1};
  EXPECT_TRUE(
      agrees(std::exp(log_betting_capital(y, .3, .8)), 2.152288309248, 1e-14));
}

TEST(BettingMean, HasMeanOneUnderTheMeanItBetsAgainst) {
  for (const double p : {.1, .3, .5, .9})
    EXPECT_NEAR(mean_over_masks(10, p,
                                [&](std::uint32_t mask) {
                                  BettingMean bets;
                                  for (int i = 0; i < 10; ++i)
                                    bets.add((mask >> i) & 1U);
                                  return bets.log_e_value({p, p});
                                }),
                1, 1e-12);
}

TEST(BettingMean, HasMeanAtMostOneAgainstAnIntervalOfMeans) {
  for (const double p : {.2, .25, .3})
    EXPECT_LE(mean_over_masks(10, p,
                              [&](std::uint32_t mask) {
                                BettingMean bets;
                                for (int i = 0; i < 10; ++i)
                                  bets.add((mask >> i) & 1U);
                                return bets.log_e_value({.2, .3});
                              }),
              1);
}

BettingMean calls(double p, int number) {
  std::mt19937_64 generator(3);
  std::binomial_distribution<int> drops(256, p);
  BettingMean bets;
  for (int i = 0; i < number; ++i) bets.add(drops(generator) / 256.0);
  return bets;
}

TEST(BettingMean, NarrowsTowardsTheMeanOfCalls) {
  const BettingMean bets = calls(.1, 20'000);
  const auto [lower, upper] = bets.confidence_sequence(kA);
  EXPECT_LT(lower, .1);
  EXPECT_GT(upper, .1);
  EXPECT_LT(upper - lower, 3e-3);
  EXPECT_GE(bets.log_e_value({lower, lower}), kA);
  EXPECT_GE(bets.log_e_value({upper, upper}), kA);
}

TEST(BettingMean, RefutesABiasedLayer) {
  EXPECT_GT(calls(.11, 5'000).log_e_value({.099, .101}), kA);
  EXPECT_LT(calls(.1, 5'000).log_e_value({.099, .101}), kA);
}

// Values close to the mean, where bets are summed by power series.
TEST(BettingMean, AgreesWithItsDefinitionForSmallBets) {
  BettingMean bets;
  std::vector<double> values;
  for (int i = 0; i < 1'000; ++i) {
    values.push_back(.3 + 1e-3 * (i % 41 - 15));
    bets.add(values.back());
  }
  double capital = 0;
  for (int k = 0; k < 16; ++k) {
    const double bet = std::ldexp(15. / 16, -k);
    capital += std::exp(log_betting_capital(values, .301, bet / .301)) +
               std::exp(log_betting_capital(values, .301, -bet / .699));
  }
  EXPECT_NEAR(bets.log_e_value({.301, .301}), std::log(capital / 32), 1e-10);
}

TEST(BettingMean, DoesNotDependOnTheOrderOfValues) {
  BettingMean forward;
  BettingMean backward;
  for (int i = 0; i < 100; ++i) {
    forward.add(i / 100.0);
    backward.add((99 - i) / 100.0);
  }
  EXPECT_EQ(forward.log_e_value({.3, .4}), backward.log_e_value({.3, .4}));
}

TEST(BettingMean, KnowsNothingBeforeTheFirstValue) {
  const BettingMean bets({-2, 3});
  EXPECT_EQ(bets.log_e_value({0, 0}), 0);
  EXPECT_EQ(bets.confidence_sequence(kA).lower, -2);
  EXPECT_EQ(bets.confidence_sequence(kA).upper, 3);
}

TEST(BettingMean, ExcludesTheEdgeThatOneValueContradicts) {
  BettingMean bets;
  bets.add(.5);
  EXPECT_EQ(bets.log_e_value({0, 0}), std::numeric_limits<double>::infinity());
}

}  // namespace
}  // namespace dropcheck::stats
