// Exact regions found by bisection with other software (STATISTICS 2.a F7) and
// log likelihood ratios by 40-digit arithmetic (F8).
#include "dropcheck/stats/fixed_n.hpp"

#include "dropcheck/stats/kl.hpp"
#include "near.hpp"

namespace dropcheck::stats {
namespace {

struct Row {
  Tost test;
  std::uint64_t n;
  TostRegion region;
};

TEST(Tost, CertifiesTheCountsOfTheTable) {
  const Row rows[] = {
      {{.1, 1e-2}, 135'340, {12'818, 14'201}},
      {{.1, 1e-3}, 13'198'890, {1'313'204, 1'326'526}},
      {{.1, 1e-4}, 1'319'275'460, {131'860'950, 131'994'093}},
      {{.5, 1e-2}, 366'476, {181'389, 185'087}},
      {{.5, 1e-3}, 36'647'517, {18'305'266, 18'342'251}},
      {{.5, 1e-4}, 3'664'640'085, {1'832'135'122, 1'832'504'963}}};
  for (const auto& [test, n, region] : rows) {
    const TostRegion actual = tost_region(test, n);
    EXPECT_EQ(actual.first, region.first) << n;
    EXPECT_EQ(actual.last, region.last) << n;
  }
}

TEST(Tost, MirrorsItsRegionAtTheKeepProbability) {
  const auto [first, last] = tost_region({.9, 1e-2}, 135'340);
  EXPECT_EQ(first, 135'340 - 14'201);
  EXPECT_EQ(last, 135'340 - 12'818);
}

TEST(Tost, MissesARightRateWithProbabilityAlphaAtTheTabledN) {
  EXPECT_LE(tost_log_miss({.1, 1e-2}, 135'340), std::log(1e-9));
  EXPECT_LE(tost_log_miss({.5, 1e-2}, 366'476), std::log(1e-9));
  EXPECT_GT(tost_log_miss({.1, 1e-2}, 134'000), std::log(1e-9));
}

TEST(Tost, CertifiesNothingWithTooFewDecisions) {
  const auto [first, last] = tost_region({.1, 1e-2}, 1'000);
  EXPECT_GT(first, last);
  EXPECT_EQ(tost_log_miss({.1, 1e-2}, 1'000), 0);
}

// The n of the table, and that of Clopper-Pearson inside p0 -+ delta, which is
// the same test at alpha / 2. The probability of a miss is a saw in n, so that
// other brackets end up to 1e-3 away.
TEST(TostSampleSize, ReproducesTheTable) {
  struct Case {
    Tost test;
    double n;
  };
  for (const auto& [test, n] : {Case{{.1, 1e-2, 1e-9}, 135'340},
                                {{.1, 1e-3, 1e-9}, 13'198'890},
                                {{.1, 1e-4, 1e-9}, 1'319'275'460},
                                {{.5, 1e-2, 1e-9}, 366'476},
                                {{.5, 1e-3, 1e-9}, 36'647'517},
                                {{.5, 1e-4, 1e-9}, 3'664'640'085},
                                {{.1, 1e-2, 5e-10}, 137'934},
                                {{.5, 1e-2, 5e-10}, 373'264},
                                {{.1, 1e-3, 5e-10}, 13'442'628},
                                {{.5, 1e-3, 5e-10}, 37'325'687}}) {
    const std::uint64_t found = tost_sample_size(test, 1e-9);
    EXPECT_TRUE(agrees(static_cast<double>(found), n, 1e-3)) << n;
    EXPECT_LE(tost_log_miss(test, found), std::log(1e-9));
    EXPECT_GT(tost_log_miss(test, found - 1), std::log(1e-9));
  }
}

TEST(TostSampleSize, CostsThreeAndAHalfTimesTheWaldBound) {
  for (const double p0 : {.1, .5}) {
    const double n = static_cast<double>(tost_sample_size({p0, 1e-3}, 1e-9));
    const double bound = wald_lower_bound(p0, p0 + 1e-3, {1e-9, 1e-9});
    EXPECT_NEAR(n / bound, p0 < .2 ? 3.50 : 3.54, .03);
  }
}

TEST(LogLikelihoodRatio, ReproducesItsValues) {
  EXPECT_TRUE(agrees(log_likelihood_ratio({101'000, 1'000'000}, .1, .101),
                     5.539177601236903, 1e-12));
  EXPECT_TRUE(agrees(log_likelihood_ratio({505'000, 1'000'000}, .5, .51),
                     -0.01333760137188384, 1e-9));
  EXPECT_TRUE(
      agrees(log_likelihood_ratio({5'078'125, 100'000'000}, .05, .05078125),
             639.3298288755721, 1e-11));
}

TEST(SprtThresholds, AreSymmetricForEqualErrors) {
  const auto [up, down] = sprt_thresholds(1e-9, 1e-9);
  EXPECT_TRUE(agrees(up, std::log(1e9) - 1e-9, 1e-15));
  EXPECT_EQ(up, -down);
}

}  // namespace
}  // namespace dropcheck::stats
