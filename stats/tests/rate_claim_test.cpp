// The table of integer boundaries (STATISTICS 2.a F5) and their agreement with
// the decision itself.
#include "dropcheck/stats/rate_claim.hpp"

#include <rapidcheck.h>

#include <array>
#include <limits>

#include "near.hpp"

namespace dropcheck::stats {
namespace {

struct Row {
  double p0;
  double delta;
  std::uint64_t n;
  Boundaries expected;
};

constexpr std::int64_t kNever = -1;
const Row kRows[] = {
    {.1, 1e-3, 4'000'000, {1, 0, 395'924, 404'089}},
    {.1, 1e-3, 5'600'000, {559'175, 560'794, 555'175, 564'838}},
    {.1, 1e-3, 10'000'000, {996'427, 1'003'528, 993'535, 1'006'478}},
    {.5, 1e-3, 12'000'000, {5'999'651, 6'000'349, 5'988'216, 6'011'784}},
    {.5, 1e-3, 20'000'000, {9'995'135, 10'004'865, 9'984'772, 10'015'228}},
    {.5, 1e-3, 40'000'000, {19'981'602, 20'018'398, 19'978'377, 20'021'623}},
    {.9, 1e-2, 60'000, {53'912, 54'120, 53'493, 54'494}},
    {.9, 1e-2, 120'000, {107'533, 108'518, 107'283, 108'704}}};

// The tables refute the point p0 itself.
RateClaim table_claim(double p0, double delta) {
  return {.p0 = p0, .delta = delta, .declared = {p0, p0}};
}

TEST(RateBoundaries, AreTheIntegersOfTheTable) {
  for (const Row& row : kRows) {
    const Boundaries b = boundaries(table_claim(row.p0, row.delta), row.n);
    if (row.expected.certify_first > row.expected.certify_last) {
      EXPECT_GT(b.certify_first, b.certify_last) << row.n;
    } else {
      EXPECT_EQ(b.certify_first, row.expected.certify_first) << row.n;
      EXPECT_EQ(b.certify_last, row.expected.certify_last) << row.n;
    }
    EXPECT_EQ(b.refute_at_most, row.expected.refute_at_most) << row.n;
    EXPECT_EQ(b.refute_at_least, row.expected.refute_at_least) << row.n;
  }
}

RateOutcome by_boundaries(const Boundaries& b, std::int64_t drops) {
  if (drops <= b.refute_at_most || drops >= b.refute_at_least)
    return RateOutcome::kRefuted;
  if (drops >= b.certify_first && drops <= b.certify_last)
    return RateOutcome::kCertified;
  return RateOutcome::kUndecided;
}

TEST(RateBoundaries, AgreeWithTheDecisionOnBothSides) {
  EXPECT_TRUE(rc::check([] {
    const double p0 = *rc::gen::inRange(1, 100) / 100.0;
    const double relative = *rc::gen::inRange(1, 100) / 500.0;
    const auto n = *rc::gen::inRange<std::uint64_t>(1, 50'000'000);
    RateClaim claim = table_claim(p0, relative * std::min(p0, 1 - p0));
    claim.weight = 1.0 / *rc::gen::inRange(1, 10'000);
    const Boundaries b = boundaries(claim, n);
    for (const std::int64_t edge :
         {b.certify_first, b.certify_last, b.refute_at_most, b.refute_at_least})
      for (std::int64_t drops = edge - 1; drops <= edge + 1; ++drops) {
        if (drops < 0 || drops > static_cast<std::int64_t>(n)) continue;
        const Counts counts{static_cast<std::uint64_t>(drops), n};
        RC_ASSERT(decide(claim, counts) == by_boundaries(b, drops));
      }
  }));
}

TEST(RateBoundaries, AreEmptyBeforeAnythingCanBeSaid) {
  for (const std::uint64_t n : {0U, 1U, 5U}) {
    const Boundaries b = boundaries(table_claim(.1, .01), n);
    EXPECT_GT(b.certify_first, b.certify_last);
    EXPECT_EQ(b.refute_at_most, kNever);
    EXPECT_EQ(b.refute_at_least, static_cast<std::int64_t>(n) + 1);
  }
}

TEST(RateDecision, CertifiesARightRate) {
  EXPECT_EQ(decide(table_claim(.1, 1e-3), {560'000, 5'600'000}),
            RateOutcome::kCertified);
}

TEST(RateDecision, RefutesALayerThatDropsNothing) {
  EXPECT_EQ(decide(table_claim(.1, 1e-2), {0, 1'024}), RateOutcome::kRefuted);
}

TEST(RateDecision, RefutesASwappedKeepProbability) {
  EXPECT_EQ(decide(table_claim(.1, 1e-2), {115, 128}), RateOutcome::kRefuted);
}

TEST(RateDecision, AcceptsAnEffectiveRateThatWasDeclared) {
  // 26 of 256 instead of .1: the eight-bit idiom at five million decisions.
  const Counts counts{5'078'125, 50'000'000};
  RateClaim claim = table_claim(.1, 5e-3);
  EXPECT_EQ(decide(claim, counts), RateOutcome::kRefuted);
  claim.declared = {.1015625, .1015625};
  EXPECT_EQ(decide(claim, counts), RateOutcome::kCertified);
}

TEST(RateDecision, NeedsMoreAtASmallerShareOfTheAlarm) {
  RateClaim claim = table_claim(.1, 1e-3);
  EXPECT_EQ(decide(claim, {404'089, 4'000'000}), RateOutcome::kRefuted);
  claim.weight = 1e-3;
  EXPECT_EQ(decide(claim, {404'089, 4'000'000}), RateOutcome::kUndecided);
}

TEST(RateDecision, StaysOpenWithoutData) {
  EXPECT_EQ(decide(table_claim(.1, 1e-3), {}), RateOutcome::kUndecided);
}

TEST(RateEValue, IsTheLeastOverTheDeclaredSet) {
  RateClaim claim = table_claim(.1, 1e-3);
  EXPECT_TRUE(agrees(log_e_value(claim, {560'000, 5'600'000}),
                     -2.02647143803729, 1e-12));
  const double at_point = log_e_value(claim, {564'838, 5'600'000});
  claim.declared = {.0995, .1005};
  EXPECT_LT(log_e_value(claim, {564'838, 5'600'000}), at_point);
  EXPECT_LE(log_e_value(claim, {560'001, 5'600'000}), 0);
}

const BetaPrior kPrior = prior_around(.3, recommended_kappa(.3, 1e-2));

// A variance of .21 belongs to the rates .3 and .7: two intervals.
TEST(RateSets, HoldAtTheNearestOfSeveralIntervals) {
  const std::array sets = {Interval{.29, .31}, Interval{.69, .71}};
  const Counts near_second{700'000, 1'000'000};
  EXPECT_LT(log_e_outside(sets, near_second, kPrior), 0);
  EXPECT_LT(log_e_outside(sets, {300'000, 1'000'000}, kPrior), 0);
  EXPECT_GT(log_e_outside({sets.data(), 1}, near_second, kPrior), 1'000);
  EXPECT_GT(log_e_outside(sets, {500'000, 1'000'000}, kPrior), 1'000);
  // Far from the prior it takes longer.
  EXPECT_FALSE(certified_inside(sets, near_second, kPrior, 1e-9));
  EXPECT_TRUE(certified_inside(sets, {7'000'000, 10'000'000}, kPrior, 1e-9));
  EXPECT_TRUE(certified_inside(sets, {300'000, 1'000'000}, kPrior, 1e-9));
  EXPECT_FALSE(certified_inside(sets, {310'000, 1'000'000}, kPrior, 1e-9));
  // One end is excluded, the other not.
  EXPECT_FALSE(certified_inside(sets, {309'500, 1'000'000}, kPrior, 1e-9));
  EXPECT_FALSE(certified_inside(sets, {290'500, 1'000'000}, kPrior, 1e-9));
  EXPECT_FALSE(certified_inside(sets, {30, 100}, kPrior, 1e-9));
}

TEST(RateSets, HaveNoLimitAtZeroAndOne) {
  const std::array below = {Interval{0, .31}};
  EXPECT_TRUE(certified_inside(below, {100'000, 1'000'000}, kPrior, 1e-9));
  EXPECT_FALSE(certified_inside(below, {320'000, 1'000'000}, kPrior, 1e-9));
}

TEST(RateSets, AreRefutedByAnyDataWhereThereIsNone) {
  EXPECT_EQ(log_e_outside({}, {1, 2}, kPrior),
            std::numeric_limits<double>::infinity());
  EXPECT_EQ(log_e_outside({}, {}, kPrior), 0);
  EXPECT_FALSE(certified_inside({}, {1, 2}, kPrior, 1e-9));
}

}  // namespace
}  // namespace dropcheck::stats
