// Closed forms; validity by enumeration of all sequences of twelve trials.
#include "dropcheck/stats/rare_events.hpp"

#include <bit>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "dropcheck/stats/run_alarm.hpp"
#include "masks.hpp"
#include "near.hpp"

namespace dropcheck::stats {
namespace {

constexpr double kA = 20.7232658369;

TEST(RareUpperBound, IsTheProbabilityThatHidesWithChanceAlpha) {
  EXPECT_TRUE(agrees(rare_upper_bound(1'000, kA), .0205100145912557, 1e-13));
  EXPECT_TRUE(
      agrees(rare_upper_bound(1'000'000'000, kA), 2.07232656221732e-8, 1e-13));
  EXPECT_LT(rare_upper_bound(5, kA), 1);
  EXPECT_EQ(rare_upper_bound(0, kA), 1);
}

// The number that STATISTICS 2.f names for a generator of 24 bits.
TEST(TrialsToBound, IsThreeHundredFiftyMillionForTwentyFourBits) {
  const std::uint64_t trials = trials_to_bound(0x1p-24, kA);
  EXPECT_NEAR(static_cast<double>(trials), 3.477e8, 1e5);
  EXPECT_LE(rare_upper_bound(trials, kA), 0x1p-24);
  EXPECT_GT(rare_upper_bound(trials - 1, kA), 0x1p-24);
  EXPECT_NEAR(static_cast<double>(trials_to_bound(3e-8, kA)), 6.9e8, 1e6);
}

double mean_of_e(double p, double allowed) {
  return mean_over_masks(12, p, [&](std::uint32_t mask) {
    const auto seen = static_cast<std::uint64_t>(std::popcount(mask));
    return log_rare_e_value({seen, 12}, allowed);
  });
}

TEST(RareEValue, HasMeanOneAtWhatIsAllowedAndLessBelow) {
  for (const double allowed : {.001, .1, .4}) {
    EXPECT_NEAR(mean_of_e(allowed, allowed), 1, 1e-12);
    EXPECT_LE(mean_of_e(allowed / 3, allowed), 1);
    EXPECT_LE(mean_of_e(0, allowed), 1);
  }
}

// Trials that follow one another: an event makes the next impossible.
TEST(RareEValue, HasMeanAtMostOneWhereTrialsDepend) {
  double mean = 0;
  for (std::uint32_t mask = 0; mask < 1U << 12; ++mask) {
    double probability = 1;
    for (int i = 0; i < 12; ++i) {
      const bool before = i > 0 && (mask >> (i - 1) & 1U);
      const double p = before ? 0 : .1;
      probability *= mask >> i & 1U ? p : 1 - p;
    }
    const auto seen = static_cast<std::uint64_t>(std::popcount(mask));
    mean += probability * std::exp(log_rare_e_value({seen, 12}, .1));
  }
  EXPECT_LE(mean, 1);
}

TEST(RareClaim, IsRefutedByOneEventWhereNoneIsAllowed) {
  const RareClaim claim{.bound = 1e-6, .weight = 1e-3};
  EXPECT_EQ(decide(claim, {1, 1'000'000'000}), RateOutcome::kRefuted);
  EXPECT_EQ(log_rare_e_value({1, 10}, 0),
            std::numeric_limits<double>::infinity());
}

TEST(RareClaim, IsCertifiedByEnoughTrialsWithoutAnEvent) {
  const RareClaim claim{.bound = 1e-6};
  EXPECT_EQ(decide(claim, {0, 20'700'000}), RateOutcome::kUndecided);
  EXPECT_EQ(decide(claim, {0, 20'730'000}), RateOutcome::kCertified);
  const std::uint64_t needed =
      trials_to_bound(1e-6, refutation_threshold(1e-9, 1));
  EXPECT_EQ(decide(claim, {0, needed - 1}), RateOutcome::kUndecided);
  EXPECT_EQ(decide(claim, {0, needed}), RateOutcome::kCertified);
}

TEST(RareClaim, AllowsForEventsOfTheStatedProbability) {
  const RareClaim claim{.allowed = 1e-9, .bound = 1e-6};
  EXPECT_EQ(decide(claim, {0, 30'000'000}), RateOutcome::kCertified);
  EXPECT_EQ(decide(claim, {1, 30'000'000}), RateOutcome::kUndecided);
  EXPECT_EQ(decide(claim, {8, 30'000'000}), RateOutcome::kRefuted);
}

TEST(RareClaim, RejectsWhatIsOutOfRange) {
  const Counts none{0, 10};
  EXPECT_THROW(decide(RareClaim{.allowed = .1, .bound = .1}, none),
               std::domain_error);
  EXPECT_THROW(decide(RareClaim{.bound = 1}, none), std::domain_error);
  EXPECT_THROW(decide(RareClaim{.bound = .1, .alpha = 0}, none),
               std::domain_error);
  EXPECT_THROW(decide(RareClaim{.bound = .1, .weight = 2}, none),
               std::domain_error);
  EXPECT_THROW(decide(RareClaim{.bound = .1}, {3, 2}), std::domain_error);
  EXPECT_THROW(log_rare_e_value(none, .5), std::domain_error);
  EXPECT_THROW(trials_to_bound(1e-19, kA), std::domain_error);
  EXPECT_THROW(trials_to_bound(0, kA), std::domain_error);
  EXPECT_THROW(rare_upper_bound(10, 0), std::domain_error);
}

}  // namespace
}  // namespace dropcheck::stats
