// The oracle on trial: every e-value of the library has mean at most 1 under
// its null, by enumeration of all masks of a few units. Not only at a fixed n
// but at every look, and at stopping times that end the run when it is ahead.
#include "dropcheck/stats/calibration.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

namespace dropcheck::stats {
namespace {

TEST(EveryEValue, HasMeanAtMostOneAtEveryLookAndWhereARunStopsAhead) {
  for (const EValueCase& e : every_e_value()) {
    const Calibration means = calibrate(e);
    EXPECT_TRUE(means.right) << e.name;
    EXPECT_LE(means.largest_mean, 1 + 1e-11) << e.name;
    EXPECT_GT(means.smallest_mean, 0) << e.name;
    if (e.exact) {
      EXPECT_NEAR(means.smallest_mean, 1, 1e-11) << e.name;
    }
  }
}

// The enumeration can fail: a running maximum is no e-value, nor is a product
// of two that read the same data.
TEST(EveryEValue, IsToldFromWhatIsNone) {
  const EValueCase martingale = every_e_value().front();
  const std::vector<double> rate{martingale.rates.front()};
  const EValueCase maximum{"running maximum",
                           [&](std::uint32_t mask, int n) {
                             double largest = 0;
                             for (int k = 1; k <= n; ++k)
                               largest =
                                   std::max(largest, martingale.log_e(mask, k));
                             return largest;
                           },
                           rate};
  EXPECT_FALSE(calibrate(maximum).right);
  EXPECT_GT(calibrate(maximum).largest_mean, 1.1);
  const EValueCase square{
      "product with itself",
      [&](std::uint32_t mask, int n) { return 2 * martingale.log_e(mask, n); },
      rate};
  EXPECT_FALSE(calibrate(square).right);
  EXPECT_GT(calibrate(square).largest_mean, 1.1);
}

// One that is merely small is no false alarm, but not what it says either.
TEST(EveryEValue, MustBeExactWhereItSaysSo) {
  EValueCase half{"half", [](std::uint32_t, int) { return -0.7; }, {.3}};
  EXPECT_TRUE(calibrate(half).right);
  half.exact = true;
  EXPECT_FALSE(calibrate(half).right);
}

}  // namespace
}  // namespace dropcheck::stats
