// Budgets in units of p0 (1 - p0) / delta^2 (STATISTICS 2.a F6, section 3).
#include "dropcheck/stats/look_schedule.hpp"

#include <rapidcheck.h>

#include <algorithm>

#include "near.hpp"

namespace dropcheck::stats {
namespace {

TEST(LookSchedule, DoublesUpToTheFirstLookAndThenCreeps) {
  EXPECT_EQ(look_schedule(1'000, 300, 1.5),
            (std::vector<std::uint64_t>{64, 128, 256, 300, 450, 675, 1'000}));
}

TEST(LookSchedule, EndsAtTheBudgetWhereverTheFirstLookLies) {
  EXPECT_EQ(look_schedule(1, 50), std::vector<std::uint64_t>{1});
  EXPECT_EQ(look_schedule(100, 1e9), (std::vector<std::uint64_t>{64, 100}));
}

TEST(LookSchedule, GrowsStrictly) {
  EXPECT_TRUE(rc::check([] {
    const auto n = *rc::gen::inRange<std::uint64_t>(1, 1'000'000'000'000);
    const double first = *rc::gen::inRange(1, 1'000'000);
    const auto looks = look_schedule(n, first);
    RC_ASSERT(looks.back() == n);
    RC_ASSERT(std::is_sorted(looks.begin(), looks.end(), std::less_equal{}));
  }));
}

TEST(Budget, IsThatOfTheTables) {
  EXPECT_EQ(n_max(.1, 1e-3), 16'200'000U);
  EXPECT_EQ(n_max(.5, 1e-3), 45'000'000U);
  EXPECT_NEAR(expected_n(.1, 1e-2), 5.0e4, 200);
  EXPECT_NEAR(expected_n(.5, 1e-3), 1.39e7, 3e4);
  EXPECT_NEAR(detection_n(.5, 1e-2), 113'306, 1'000);
}

TEST(Budget, GrowsWithTheCertaintyAskedFor) {
  const double unit = .25e6;
  EXPECT_TRUE(agrees(expected_n(.5, 1e-3, 1e-6), 39.8 * unit, 1e-9));
  EXPECT_TRUE(agrees(expected_n(.5, 1e-3, 1e-12), 71.3 * unit, 1e-9));
  EXPECT_TRUE(agrees(detection_n(.5, 1e-3, 1e-13), 64.5 * unit, 1e-9));
  EXPECT_NEAR(static_cast<double>(n_max(.5, 1e-3, 1e-12)),
              180.0 * 190 / 165 * unit, 1);
  EXPECT_GT(expected_n(.5, 1e-3, .4), 0);
}

TEST(Budget, InvertsToTheAffordableTolerance) {
  EXPECT_TRUE(agrees(affordable_delta(.1, 16.2e6), 1e-3, 1e-14));
}

}  // namespace
}  // namespace dropcheck::stats
