// Values by 40-digit arithmetic (STATISTICS 2.b F2); validity by enumeration.
#include "dropcheck/stats/dirichlet_multinomial.hpp"

#include <array>
#include <bit>
#include <vector>

#include "masks.hpp"
#include "near.hpp"

namespace dropcheck::stats {
namespace {

struct Vector {
  std::array<std::uint64_t, 4> counts;
  std::array<double, 4> theta;
  double kappa;
  double value;
};

TEST(DirichletMultinomial, ReproducesItsValues) {
  constexpr std::array kQuarters = {.25, .25, .25, .25};
  constexpr std::array kPairs = {.01, .09, .09, .81};
  const Vector vectors[] = {
      {{2'500, 2'500, 2'500, 2'500}, kQuarters, 1e3, -3.597979272126122},
      {{2'800, 2'400, 2'400, 2'400}, kQuarters, 1e3, 17.72677365661756},
      {{12'100, 7'900, 8'100, 71'900}, kPairs, 5e3, 19260.2589183818},
      {{1'000, 9'000, 9'000, 81'000}, kPairs, 5e3, -4.56872739288026}};
  for (const auto& [counts, theta, kappa, value] : vectors)
    EXPECT_TRUE(
        agrees(log_dirichlet_multinomial(counts, theta, kappa), value, 1e-11));
}

TEST(DirichletMultinomial, AgreesWithItsDefinition) {
  const std::array<std::uint64_t, 3> counts = {3, 0, 11};
  const std::array theta = {.2, .3, .5};
  const double kappa = 1.7;
  double expected = std::lgamma(kappa) - std::lgamma(kappa + 14);
  for (std::size_t j = 0; j < 3; ++j) {
    const double n = static_cast<double>(counts[j]);
    expected += std::lgamma(kappa * theta[j] + n) -
                std::lgamma(kappa * theta[j]) - n * std::log(theta[j]);
  }
  EXPECT_NEAR(log_dirichlet_multinomial(counts, theta, kappa), expected, 1e-12);
}

// Four disjoint groups of three units.
std::array<std::uint64_t, 4> group_histogram(std::uint32_t mask) {
  std::array<std::uint64_t, 4> histogram{};
  for (int g = 0; g < 4; ++g)
    ++histogram[static_cast<std::size_t>(std::popcount((mask >> 3 * g) & 7U))];
  return histogram;
}

double mean_of_e(double p, Interval null_rates) {
  return mean_over_masks(12, p, [&](std::uint32_t mask) {
    return log_group_count_e_value(group_histogram(mask), .3, 2.5, null_rates);
  });
}

TEST(GroupCountEValue, HasMeanOneAgainstOneKnownRate) {
  EXPECT_NEAR(mean_of_e(.3, {.3, .3}), 1, 1e-12);
}

TEST(GroupCountEValue, HasMeanAtMostOneAgainstEveryRateOfTheNull) {
  for (const double p : {.05, .2, .3, .5, .95}) {
    EXPECT_LE(mean_of_e(p, {0, 1}), 1);
    EXPECT_LE(mean_of_e(p, {p - .04, p + .02}), 1);
  }
}

TEST(GroupCountEValue, EqualsTheTableWhereTheRateIsKnown) {
  const std::array<std::uint64_t, 3> histogram = {85, 12, 3};
  const std::array theta = {.81, .18, .01};
  EXPECT_NEAR(log_group_count_e_value(histogram, .1, 9, {.1, .1}),
              log_dirichlet_multinomial(histogram, theta, 9), 1e-11);
}

TEST(GroupCountEValue, RefutesAFixedNumberOfDropsInFifteenCalls) {
  std::vector<std::uint64_t> histogram(1'001);
  histogram[100] = 15;
  EXPECT_GT(log_group_count_e_value(histogram, .1, 1, {0, 1}), 20.7);
}

// At 4096 units and p = .1 most cells are far below the smallest double.
TEST(GroupCountEValue, SurvivesCellsThatUnderflow) {
  std::vector<std::uint64_t> histogram(4'097);
  histogram[4'096] = 1;
  const double all = log_group_count_e_value(histogram, .1, 10, {.1, .1});
  // One group in a cell of prior weight kappa theta -> 0 has e-value 1.
  EXPECT_NEAR(all, 0, 1e-6);
  histogram[4'096] = 2;
  const double twice = log_group_count_e_value(histogram, .1, 10, {.1, .1});
  EXPECT_NEAR(twice, -4'096 * std::log(.1) - std::log(11.0), 1e-6);
}

}  // namespace
}  // namespace dropcheck::stats
