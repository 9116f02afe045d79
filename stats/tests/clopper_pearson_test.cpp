// Values by 40-digit arithmetic (STATISTICS 2.a F2), two-sided alpha = 1e-9.
#include "dropcheck/stats/clopper_pearson.hpp"

#include "dropcheck/stats/binomial_tail.hpp"
#include "near.hpp"

namespace dropcheck::stats {
namespace {

struct Vector {
  Counts counts;
  double lower;
  double upper;
};

TEST(ClopperPearson, ReproducesExactIntervals) {
  const Vector vectors[] = {
      {{0, 1'000}, 0, 0.0211887100679724},
      {{512, 1'024}, 0.404950166442904, 0.595049833557096},
      {{100, 1'000}, 0.0517199362121822, 0.168408038700987},
      {{100'123, 1'000'000}, 0.0982987662416269, 0.101967408671364},
      {{500'000, 1'000'000}, 0.496944824177746, 0.503055175822254},
      {{99'990'001, 1'000'000'000}, 0.0999320542086864, 0.100047967965352}};
  for (const auto& [counts, lower, upper] : vectors) {
    const Interval interval = clopper_pearson(counts, 1e-9);
    EXPECT_TRUE(agrees(interval.lower, lower, 1e-13)) << counts.n;
    EXPECT_TRUE(agrees(interval.upper, upper, 1e-13)) << counts.n;
  }
}

TEST(ClopperPearson, HoldsAtAHundredBillion) {
  const Interval interval =
      clopper_pearson({50'000'123'456, 100'000'000'000}, 1e-9);
  EXPECT_TRUE(agrees(interval.lower, 0.499991574729297, 1e-13));
  EXPECT_TRUE(agrees(interval.upper, 0.500010894390703, 1e-13));
}

// By definition the exact tails at the endpoints are alpha / 2, whatever n.
TEST(ClopperPearson, LeavesHalfOfAlphaInEachTail) {
  constexpr std::uint64_t kTrillion = 1'000'000'000'000;
  for (const Counts& counts :
       {Counts{1, kTrillion}, Counts{100'000'123'456, kTrillion}, Counts{3, 7}})
    for (const double alpha : {1e-2, 1e-9, 1e-30}) {
      const auto [lower, upper] = clopper_pearson(counts, alpha);
      const double level = std::log(alpha / 2);
      const double below = log_upper_tail(counts.drops, counts.n, lower);
      const double above = log_lower_tail(counts.drops, counts.n, upper);
      EXPECT_NEAR(below, level, 1e-7) << counts.drops;
      EXPECT_NEAR(above, level, 1e-7) << counts.drops;
      EXPECT_LE(below, level);
      EXPECT_LE(above, level);
    }
}

// Near 1 doubles are 1e-16 apart, so that the endpoint is not sharp; it still
// leaves no more than its share outside.
TEST(ClopperPearson, RoundsOutwardsWhereDoublesAreSparse) {
  const Counts counts{999'999'999'998, 1'000'000'000'000};
  const auto [lower, upper] = clopper_pearson(counts, 1e-9);
  const double below = log_upper_tail(counts.drops, counts.n, lower);
  EXPECT_LE(below, std::log(5e-10));
  EXPECT_NEAR(below, std::log(5e-10), 1e-3);
  EXPECT_LE(log_lower_tail(counts.drops, counts.n, upper), std::log(5e-10));
}

TEST(ClopperPearson, SaysNothingWithoutData) {
  const Interval interval = clopper_pearson({}, 1e-9);
  EXPECT_EQ(interval.lower, 0);
  EXPECT_EQ(interval.upper, 1);
}

TEST(ClopperPearson, EndsAtOneWhereOnlyDropsWereSeen) {
  const Interval interval = clopper_pearson({1'000, 1'000}, 1e-9);
  EXPECT_EQ(interval.upper, 1);
  EXPECT_TRUE(agrees(1 - interval.lower, 0.0211887100679724, 1e-13));
}

}  // namespace
}  // namespace dropcheck::stats
