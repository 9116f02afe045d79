// Known statistics, far tails against an asymptotic series, and the rule of
// calibration (STATISTICS 2.d).
#include "dropcheck/stats/chi_square.hpp"

#include <array>
#include <numbers>
#include <vector>

#include "near.hpp"

namespace dropcheck::stats {
namespace {

TEST(GoodnessOfFit, ReproducesATextbookCase) {
  const std::array<std::uint64_t, 3> observed = {4'900, 3'100, 2'000};
  const std::array expected = {.5, .3, .2};
  const Diagnostic result = goodness_of_fit(observed, expected, 1e-9);
  const double statistic = 2 + 10'000.0 / 3'000;
  EXPECT_TRUE(agrees(result.statistic, statistic, 1e-13));
  EXPECT_EQ(result.degrees_of_freedom, 2);
  // With two degrees the tail is exp(-x / 2).
  EXPECT_TRUE(
      agrees(result.log10_p, -statistic / 2 / std::numbers::ln10, 1e-12));
  EXPECT_TRUE(result.valid_at_level);
}

TEST(GoodnessOfFit, MergesNeighboursUntilEachExpectsAHundred) {
  const std::array<std::uint64_t, 5> observed = {60, 50, 300, 40, 50};
  const std::array expected = {.1, .1, .6, .1, .1};
  const Diagnostic result = goodness_of_fit(observed, expected, 1e-9);
  EXPECT_EQ(result.degrees_of_freedom, 2);
  EXPECT_NE(result.note.find("3 of 5 cells"), std::string::npos) << result.note;
}

// The last cell expects 90 only: it joins the one before it.
TEST(GoodnessOfFit, LosesNoCellThatIsLeftOver) {
  const std::array<std::uint64_t, 3> observed = {120, 290, 90};
  const std::array expected = {.22, .6, .18};
  const Diagnostic result = goodness_of_fit(observed, expected, 1e-9);
  EXPECT_TRUE(agrees(result.statistic, 100.0 / 110 + 100.0 / 390, 1e-13));
}

TEST(GoodnessOfFit, IsNotValidWithTwoThinCells) {
  const std::array<std::uint64_t, 2> observed = {120, 99'880};
  const std::array expected = {.001, .999};
  EXPECT_FALSE(goodness_of_fit(observed, expected, 1e-9).valid_at_level);
}

// 100 expected in each, and still too skewed: one cell holds nearly all.
TEST(GoodnessOfFit, IsNotValidWithThinCellsBesideAThickOne) {
  const std::array<std::uint64_t, 4> observed = {100, 100, 100, 99'700};
  const std::array expected = {.001, .001, .001, .997};
  const Diagnostic result = goodness_of_fit(observed, expected, 1e-9);
  EXPECT_FALSE(result.valid_at_level);
  EXPECT_NE(result.note.find("times too often"), std::string::npos)
      << result.note;
}

TEST(GoodnessOfFit, IsNotValidBeyondItsCalibration) {
  const std::array<std::uint64_t, 2> observed = {5'000, 5'000};
  const std::array expected = {.5, .5};
  EXPECT_TRUE(goodness_of_fit(observed, expected, 1e-9).valid_at_level);
  EXPECT_FALSE(goodness_of_fit(observed, expected, 1e-12).valid_at_level);
}

TEST(GoodnessOfFit, NeverPrintsAPValueOfZero) {
  const std::array<std::uint64_t, 3> observed = {1'000'000, 0, 0};
  const std::array expected = {.2, .3, .5};
  const Diagnostic result = goodness_of_fit(observed, expected, 1e-9);
  EXPECT_TRUE(agrees(result.log10_p, -result.statistic / 2 / std::numbers::ln10,
                     1e-12));
}

TEST(GoodnessOfFit, ContinuesBoostsTailWhereItUnderflows) {
  // df 1: p = erfc(sqrt(x / 2)); its asymptotic series at x = 2500.
  const std::array<std::uint64_t, 2> observed = {52'500, 47'500};
  const std::array expected = {.5, .5};
  const Diagnostic far = goodness_of_fit(
      std::array<std::uint64_t, 2>{62'500, 37'500}, expected, 1e-9);
  const double x = far.statistic;
  const double series = 1 - 1 / x + 3 / (x * x) - 15 / (x * x * x);
  const double log_p =
      -x / 2 - .5 * std::log(std::numbers::pi * x / 2) + std::log(series);
  EXPECT_TRUE(agrees(far.log10_p, log_p / std::numbers::ln10, 1e-12));
  const Diagnostic near = goodness_of_fit(observed, expected, 1e-9);
  EXPECT_TRUE(agrees(near.log10_p,
                     std::log10(std::erfc(std::sqrt(near.statistic / 2))),
                     1e-12));
}

TEST(GoodnessOfFit, SaysSoWhereNothingIsLeftToTest) {
  const std::array<std::uint64_t, 2> observed = {3, 4};
  const std::array expected = {.5, .5};
  const Diagnostic result = goodness_of_fit(observed, expected, 1e-9);
  EXPECT_EQ(result.log10_p, 0);
  EXPECT_FALSE(result.valid_at_level);
}

TEST(BinomialGroupFit, AcceptsExpectedCountsAndSeesAFixedNumberOfDrops) {
  std::vector<std::uint64_t> histogram = {
      430'467, 382'638, 148'804, 33'067, 4'593, 408, 23, 0, 0};
  const Diagnostic fit = binomial_group_fit(histogram, .1, 1e-9);
  EXPECT_GT(fit.log10_p, -1);
  EXPECT_EQ(fit.name, "drops per group");
  histogram = {0, 1'000'000, 0, 0, 0, 0, 0, 0, 0};
  EXPECT_LT(binomial_group_fit(histogram, .1, 1e-9).log10_p, -1'000);
}

TEST(HomogeneityChiSquare, EqualsTheTwoByTwoTable) {
  const std::array groups = {Counts{1'000, 10'000}, Counts{1'200, 10'000}};
  const Diagnostic table = independence_chi_square({.dropped_dropped = 1'000,
                                                    .dropped_kept = 9'000,
                                                    .kept_dropped = 1'200,
                                                    .kept_kept = 8'800},
                                                   1e-9);
  const Diagnostic homogeneity = homogeneity_chi_square(groups, 1e-9);
  EXPECT_TRUE(agrees(homogeneity.statistic, table.statistic, 1e-14));
  // n (ad - bc)^2 / (product of margins)
  EXPECT_TRUE(agrees(table.statistic,
                     2e4 * 2e6 * 2e6 / (1e4 * 1e4 * 2'200 * 17'800), 1e-12));
  EXPECT_EQ(table.degrees_of_freedom, 1);
}

TEST(HomogeneityChiSquare, CountsNoDegreeForAGroupWithoutData) {
  const std::array groups = {Counts{1'000, 10'000}, Counts{},
                             Counts{1'200, 10'000}};
  const Diagnostic test = homogeneity_chi_square(groups, 1e-9);
  EXPECT_EQ(test.degrees_of_freedom, 1);
  const std::array alone = {Counts{1'000, 10'000}, Counts{}};
  EXPECT_FALSE(homogeneity_chi_square(alone, 1e-9).valid_at_level);
}

TEST(IndependenceChiSquare, EqualsTheTwoByTwoTable) {
  const TwoByTwo table{1'000, 9'000, 1'200, 8'800};
  const std::array<std::uint64_t, 4> cells = {1'000, 9'000, 1'200, 8'800};
  const Diagnostic two = independence_chi_square(table, 1e-9);
  const Diagnostic general = independence_chi_square(cells, 2, 1e-9);
  EXPECT_TRUE(agrees(general.statistic, two.statistic, 1e-13));
  EXPECT_EQ(general.degrees_of_freedom, 1);
  EXPECT_TRUE(general.valid_at_level) << general.note;
}

// Statistic by hand: margins 600, 400 and 300, 300, 400.
TEST(IndependenceChiSquare, ReproducesATableOfTwoByThree) {
  const std::array<std::uint64_t, 6> cells = {200, 150, 250, 100, 150, 150};
  const Diagnostic test = independence_chi_square(cells, 3, 1e-9);
  const double expected = 400.0 / 180 + 900.0 / 180 + 100.0 / 240 +
                          400.0 / 120 + 900.0 / 120 + 100.0 / 160;
  EXPECT_TRUE(agrees(test.statistic, expected, 1e-13));
  EXPECT_EQ(test.degrees_of_freedom, 2);
  EXPECT_TRUE(agrees(test.log10_p, -expected / 2 / std::numbers::ln10, 1e-12));
  EXPECT_TRUE(test.valid_at_level) << test.note;
}

TEST(IndependenceChiSquare, IsNotValidWhereACellExpectsLittle) {
  const std::array<std::uint64_t, 4> cells = {60, 240, 200, 500};
  const Diagnostic test = independence_chi_square(cells, 2, 1e-9);
  EXPECT_FALSE(test.valid_at_level);
  EXPECT_NE(test.note.find("smallest expected count 78, needs 100"),
            std::string::npos)
      << test.note;
}

TEST(IndependenceChiSquare, LeavesOutEmptyRowsAndColumns) {
  const std::array<std::uint64_t, 9> cells = {4'000, 0, 5'000, 0, 0,
                                              0,     0, 0,     0};
  EXPECT_EQ(independence_chi_square(cells, 3, 1e-9).log10_p, 0);
  const std::array<std::uint64_t, 6> two = {4'000, 0, 5'000, 5'000, 0, 4'000};
  EXPECT_EQ(independence_chi_square(two, 3, 1e-9).degrees_of_freedom, 1);
}

}  // namespace
}  // namespace dropcheck::stats
