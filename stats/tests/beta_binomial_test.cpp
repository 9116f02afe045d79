// Values by 40-digit arithmetic (STATISTICS 2.a F4, F5), and the identity that
// makes M a martingale: sum_k Binomial(n, k, p) M(k) = 1.
#include "dropcheck/stats/beta_binomial.hpp"

#include <rapidcheck.h>

#include <limits>

#include "near.hpp"

namespace dropcheck::stats {
namespace {

constexpr double kA = 20.7232658369;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct AtMean {
  Counts counts;
  double p0;
  double kappa;
  double value;
};

TEST(LogMartingale, ReproducesItsValuesAtThePriorMean) {
  const AtMean vectors[] = {
      {{100, 1'000}, .1, 100, -1.206604800214298},
      {{150, 1'000}, .1, 100, 9.867116863294278},
      {{505'000, 1'000'000}, .5, 1e4, 47.19822335823157},
      {{100'600, 1'000'000}, .1, 22'127, 0.03425208699195587},
      {{0, 50}, .5, 1, 32.12648262402016},
      {{10'005'000'000, 100'000'000'000}, .1, 1e6, 1382.9126043426734},
      {{50'001'500'000, 100'000'000'000}, .5, 2.75e8, 41.92713908895689}};
  for (const auto& [counts, p0, kappa, value] : vectors) {
    const double actual = log_martingale(counts, prior_around(p0, kappa), p0);
    // Where the logarithm is close to 0 its relative error means nothing.
    const double relative = std::abs(value) < 1 ? 1e-11 : 1e-12;
    EXPECT_TRUE(agrees(actual, value, relative)) << counts.n << ' ' << kappa;
  }
}

struct AtEdge {
  Counts counts;
  double p0;
  double kappa;
  double p;
  double value;
};

TEST(LogMartingale, ReproducesItsValuesAtTheEdgesOfTheTolerance) {
  const AtEdge vectors[] = {
      {{560'000, 5'600'000}, .1, 99e3, .101, 28.90166834784399},
      {{560'000, 5'600'000}, .1, 99e3, .099, 29.27041502586539},
      {{560'000, 5'600'000}, .1, 99e3, .1, -2.02647143803729},
      {{560'500, 5'600'000}, .1, 99e3, .101, 23.61389290584951},
      {{560'500, 5'600'000}, .1, 99e3, .099, 35.09408450556449},
      {{560'500, 5'600'000}, .1, 99e3, .1, -1.783217027102495},
      {{25'000'000, 50'000'000}, .5, 275e3, .501, 97.39595303792794},
      {{25'000'000, 50'000'000}, .5, 275e3, .499, 97.39595303792794},
      {{25'000'000, 50'000'000}, .5, 275e3, .5, -2.604246962605399}};
  for (const auto& [counts, p0, kappa, p, value] : vectors) {
    const double actual = log_martingale(counts, prior_around(p0, kappa), p);
    EXPECT_TRUE(agrees(actual, value, 1e-12)) << counts.drops << ' ' << p;
  }
}

// By lgamma: a wide prior puts weight where Boost's mass has underflowed.
double log_mass(unsigned k, unsigned n, double p) {
  return std::lgamma(n + 1.0) - std::lgamma(k + 1.0) -
         std::lgamma(n - k + 1.0) + k * std::log(p) + (n - k) * std::log1p(-p);
}

TEST(LogMartingale, HasMeanOneUnderEveryRate) {
  for (const unsigned n : {20U, 200U, 1'000U})
    for (const double p : {.05, .1, .5})
      for (const double kappa : {.7, 50.0, 2e4}) {
        const BetaPrior prior = prior_around(.2, kappa);
        double mean = 0;
        for (unsigned k = 0; k <= n; ++k)
          mean +=
              std::exp(log_mass(k, n, p) + log_martingale({k, n}, prior, p));
        EXPECT_NEAR(mean, 1, 1e-10) << n << ' ' << p << ' ' << kappa;
      }
}

// Below and above n = kappa the value is reached by different formulas.
TEST(LogMartingale, HasNoSeamAtNEqualToKappa) {
  const BetaPrior just_above = prior_around(.1, 1'000 * (1 + 1e-15));
  const BetaPrior just_below = prior_around(.1, 1'000 * (1 - 1e-15));
  for (const double p : {.01, .09, .1, .12, .7})
    EXPECT_NEAR(log_martingale({120, 1'000}, just_above, p),
                log_martingale({120, 1'000}, just_below, p), 1e-10);
}

TEST(LogMartingale, IsZeroWithoutDataAndInfiniteForTheImpossible) {
  const BetaPrior prior = prior_around(.1, 100);
  EXPECT_EQ(log_martingale({}, prior, .3), 0);
  EXPECT_EQ(log_martingale({1, 10}, prior, 0), kInfinity);
  EXPECT_EQ(log_martingale({9, 10}, prior, 1), kInfinity);
}

TEST(LogMartingale, IsContinuousAtTheEdgesThatTheDataAllow) {
  const BetaPrior prior = prior_around(.1, 100);
  EXPECT_NEAR(log_martingale({0, 10}, prior, 0),
              log_martingale({0, 10}, prior, 1e-14), 1e-11);
  EXPECT_NEAR(log_martingale({10, 10}, prior, 1),
              log_martingale({10, 10}, prior, 1 - 1e-14), 1e-11);
}

struct Endpoints {
  Counts counts;
  double p0;
  double kappa;
  Interval interval;
};

TEST(ConfidenceSequence, ReproducesItsEndpoints) {
  const Endpoints vectors[] = {
      {{100, 1'000}, .1, 100, {0.048815864120142, 0.174190933308325}},
      {{100'600, 1'000'000},
       .1,
       22'127,
       {0.0985859695134083, 0.102638191608646}},
      {{25'000'000, 50'000'000},
       .5,
       275e3,
       {0.499517014473135, 0.500482985526865}},
      {{560'000, 5'600'000},
       .1,
       99e3,
       {0.0991470403683878, 0.100857292901559}}};
  for (const auto& [counts, p0, kappa, interval] : vectors) {
    const auto [lower, upper] =
        confidence_sequence(counts, prior_around(p0, kappa), kA);
    EXPECT_TRUE(agrees(lower, interval.lower, 1e-11)) << counts.n;
    EXPECT_TRUE(agrees(upper, interval.upper, 1e-11)) << counts.n;
  }
}

TEST(ConfidenceSequence, EndsAtZeroWithoutDropsAndAtOneWithoutKept) {
  const BetaPrior prior = prior_around(.5, 1);
  EXPECT_EQ(confidence_sequence({0, 500}, prior, kA).lower, 0);
  EXPECT_LT(confidence_sequence({0, 500}, prior, kA).upper, .1);
  EXPECT_EQ(confidence_sequence({500, 500}, prior, kA).upper, 1);
  EXPECT_GT(confidence_sequence({500, 500}, prior, kA).lower, .9);
  EXPECT_EQ(confidence_sequence({}, prior, kA).upper, 1);
}

TEST(ConfidenceSequence, ContainsTheObservedRateAndExcludesItsEnds) {
  EXPECT_TRUE(rc::check([] {
    const auto n = *rc::gen::inRange<std::uint64_t>(1, 1'000'000'000);
    const auto drops = *rc::gen::inRange<std::uint64_t>(0, n + 1);
    const double p0 = *rc::gen::inRange(1, 1'000) / 1'000.0;
    const double kappa = *rc::gen::inRange(1, 10'000'000) / 10.0;
    const BetaPrior prior = prior_around(p0, kappa);
    const auto [lower, upper] = confidence_sequence({drops, n}, prior, kA);
    const double rate = static_cast<double>(drops) / static_cast<double>(n);
    RC_ASSERT(lower <= rate);
    RC_ASSERT(rate <= upper);
    RC_ASSERT(lower == 0 || log_martingale({drops, n}, prior, lower) >= kA);
    RC_ASSERT(upper == 1 || log_martingale({drops, n}, prior, upper) >= kA);
  }));
}

TEST(RecommendedKappa, IsThatOfTheTables) {
  EXPECT_TRUE(agrees(recommended_kappa(.1, 1e-3), 99e3, 1e-14));
  EXPECT_TRUE(agrees(recommended_kappa(.9, 1e-2), 990, 1e-14));
}

// Rates so small that 1 - p is 1, or so large that 1 - p has one digit.
TEST(LogMartingale, IsANumberAtEveryRate) {
  const BetaPrior prior{2, 5};
  for (const double p : {1e-300, 1e-61, 1e-17, 1 - 1e-16}) {
    for (const Counts& counts : {Counts{0, 3}, Counts{3, 3}, Counts{1, 3}}) {
      const double drops = static_cast<double>(counts.drops);
      const double kept = static_cast<double>(counts.n) - drops;
      const double expected =
          std::lgamma(2 + drops) + std::lgamma(5 + kept) - std::lgamma(10) -
          (std::lgamma(2) + std::lgamma(5) - std::lgamma(7)) -
          drops * std::log(p) - kept * std::log1p(-p);
      EXPECT_NEAR(log_martingale(counts, prior, p), expected,
                  1e-12 * std::max(1.0, std::abs(expected)))
          << p << ' ' << drops;
    }
  }
}

}  // namespace
}  // namespace dropcheck::stats
