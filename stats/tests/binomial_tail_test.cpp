// Values by 40-digit arithmetic (STATISTICS 2.a F1) and by quadrature at 60
// digits; Boost's own tails and the Zubkov-Serov sandwich are two further
// witnesses.
#include "dropcheck/stats/binomial_tail.hpp"

#include <boost/math/distributions/binomial.hpp>
#include <limits>

#include "binomial_tail_vectors.hpp"
#include "incomplete_beta.hpp"
#include "near.hpp"

namespace dropcheck::stats {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Vector {
  std::uint64_t k;
  std::uint64_t n;
  double p;
  double tail;
};
constexpr Vector kVectors[] = {
    {600, 1'000, .5, 1.36423207803301e-10},
    {1'186, 10'000, .1, 8.19389709490187e-10},
    {18'600, 100'000, .18, 4.45387732449697e-7},
    {503'100, 1'000'000, .5, 2.84080263611629e-10},
    {5'000'310'000, 10'000'000'000, .5, 2.82333738629398e-10}};

TEST(LogUpperTail, ReproducesExactTails) {
  for (const auto& [k, n, p, tail] : kVectors)
    EXPECT_TRUE(agrees(std::exp(log_upper_tail(k, n, p)), tail,
                       n > 1'000'000'000 ? 1e-11 : 1e-12))
        << k;
}

// The double nearest to .1 is 5.6e-18 too large, which at n = 1e11 moves the
// tail by a few 1e-11.
TEST(LogUpperTail, ReproducesTheExactTailOfAHundredBillion) {
  const double tail =
      std::exp(log_upper_tail(10'000'588'183, 100'000'000'000, .1));
  EXPECT_TRUE(agrees(tail, 2.82431859486948e-10, 1e-10));
}

TEST(LogLowerTail, MirrorsTheUpperTail) {
  EXPECT_TRUE(agrees(std::exp(log_lower_tail(400, 1'000, .5)),
                     1.36423207803301e-10, 1e-12));
  EXPECT_TRUE(agrees(std::exp(log_lower_tail(8'814, 10'000, .9)),
                     8.19389709490187e-10, 1e-11));
}

TEST(LogUpperTail, AgreesWithBoostAcrossTheWholeRange) {
  for (const double p : {1e-4, .1, .5, .97}) {
    const boost::math::binomial law(200, p);
    for (unsigned k = 1; k <= 200; ++k) {
      const double upper = cdf(complement(law, k - 1));
      const double lower = cdf(law, k - 1);
      EXPECT_TRUE(agrees(std::exp(log_upper_tail(k, 200, p)), upper, 1e-11));
      EXPECT_TRUE(
          agrees(std::exp(log_lower_tail(k - 1, 200, p)), lower, 1e-11));
    }
  }
}

// The probability to 2e-11 wherever it can be written as a double, its
// logarithm to 1e-12 beyond: down to exp(-5.5e6).
double allowed(double log_tail) {
  return std::max(2e-11, 1e-12 * std::abs(log_tail));
}

TEST(LogUpperTail, AgreesWithSixtyDigitsUpToATrillion) {
  for (const auto& [k, n, p, log_tail] : kUpperTails)
    EXPECT_NEAR(log_upper_tail(k, n, p), log_tail, allowed(log_tail))
        << k << " of " << n << " at " << p;
}

TEST(LogLowerTail, AgreesWithSixtyDigitsUpToATrillion) {
  for (const auto& [k, n, p, log_tail] : kLowerTails)
    EXPECT_NEAR(log_lower_tail(k, n, p), log_tail, allowed(log_tail))
        << k << " of " << n << " at " << p;
}

TEST(LogUpperTail, KeepsTwelveDigitsUpToAMillion) {
  for (const auto& [k, n, p, log_tail] : kUpperTails) {
    if (n > 1'000'000) continue;
    EXPECT_NEAR(log_upper_tail(k, n, p), log_tail,
                1e-12 * std::max(1.0, -log_tail))
        << k << " of " << n << " at " << p;
  }
}

TEST(LogUpperTail, StaysFiniteWhereDoublesUnderflow) {
  EXPECT_TRUE(
      agrees(log_upper_tail(10'000, 10'000, .1), 10'000 * std::log(.1), 1e-14));
  EXPECT_TRUE(
      agrees(log_lower_tail(0, 1'000'000, .1), 1e6 * std::log1p(-.1), 1e-14));
  for (const double p : {1e-300, 1e-17, .5, 1 - 1e-16})
    for (const std::uint64_t n : {2U, 1'000U, 1'000'000'000U})
      EXPECT_TRUE(std::isfinite(log_upper_tail(n - 1, n, p))) << n << ' ' << p;
}

TEST(LogUpperTail, FallsSmoothlyFromOneMethodToTheNext) {
  // Boost to the fraction at 1e4, the integral to the fraction at two standard
  // deviations: successive ratios of tails vary by little.
  for (const std::uint64_t n : {10'000U, 10'001U, 1'000'000U}) {
    const auto middle = n / 2;
    const auto reach = static_cast<std::uint64_t>(3 * std::sqrt(n) / 2);
    double before = log_upper_tail(middle + 1, n, .5);
    for (std::uint64_t k = middle + 2; k < middle + reach; ++k) {
      const double tail = log_upper_tail(k, n, .5);
      const double mass = log_mass(k - 1, n, .5);
      EXPECT_NEAR(std::exp(tail - before) + std::exp(mass - before), 1, 1e-11)
          << k << " of " << n;
      before = tail;
    }
  }
}

TEST(LogUpperTail, IsCertainOrImpossibleAtTheEdges) {
  EXPECT_EQ(log_upper_tail(0, 10, .3), 0);
  EXPECT_EQ(log_upper_tail(11, 10, .3), -kInfinity);
  EXPECT_EQ(log_upper_tail(1, 10, 0), -kInfinity);
  EXPECT_EQ(log_upper_tail(10, 10, 1), 0);
  EXPECT_EQ(log_lower_tail(10, 10, .3), 0);
  EXPECT_EQ(log_lower_tail(9, 10, 1), -kInfinity);
  EXPECT_EQ(log_lower_tail(0, 10, 0), 0);
}

TEST(ZubkovSerov, ReproducesTheSandwich) {
  const auto [low, high] = zubkov_serov_log_upper(600, 1'000, .5);
  EXPECT_TRUE(agrees(std::exp(low), 1.10531585796778e-10, 1e-11));
  EXPECT_TRUE(agrees(std::exp(high), 1.67059241450107e-10, 1e-11));
  const auto [l2, h2] = zubkov_serov_log_upper(1'186, 10'000, .1);
  EXPECT_TRUE(agrees(std::exp(l2), 7.62758569502878e-10, 1e-11));
  EXPECT_TRUE(agrees(std::exp(h2), 9.27911449264074e-10, 1e-11));
  const auto [l3, h3] = zubkov_serov_log_upper(503'100, 1'000'000, .5);
  EXPECT_TRUE(agrees(std::exp(l3), 2.8228017966271e-10, 1e-11));
  EXPECT_TRUE(agrees(std::exp(h3), 2.858896706832e-10, 1e-11));
}

TEST(ZubkovSerov, EnclosesEveryTail) {
  for (const std::uint64_t n : {1U, 2U, 7U, 100U, 3'000U})
    for (const double p : {.001, .1, .5, .9})
      for (std::uint64_t k = 1; k <= n; k += 1 + n / 97) {
        const auto [low, high] = zubkov_serov_log_upper(k, n, p);
        const double tail = log_upper_tail(k, n, p);
        EXPECT_LE(low, tail + 1e-12 * (1 - tail)) << k << ' ' << n << ' ' << p;
        EXPECT_GE(high, tail - 1e-12 * (1 - tail)) << k << ' ' << n << ' ' << p;
      }
}

TEST(FirstWithin, TakesTheFirstEvaluationInsideTheBounds) {
  const Interval bounds{-3, -2};
  const auto constant = [](double value) { return [value] { return value; }; };
  EXPECT_EQ(first_within(bounds, constant(-2.5), constant(-2.1)), -2.5);
  EXPECT_EQ(first_within(bounds, constant(-1), constant(-2.1)), -2.1);
  EXPECT_EQ(first_within(bounds, constant(std::nan("")), constant(-2.1)), -2.1);
}

TEST(FirstWithin, FallsBackOnTheLargerPValue) {
  const auto wrong = [] { return -7.0; };
  const auto no_number = [] { return std::nan(""); };
  EXPECT_EQ(first_within({-3, -2}, wrong, no_number), -2);
}

// A library that returns 1 for every tail, as Boost 1.74 does at n = 1e12.
TEST(Sandwich, RejectsATailThatIsOffByTwoMasses) {
  for (const BinomialLaw law :
       {BinomialLaw{1e12, .5, .5}, {1e3, .1, .9}, {50, .5, .5}}) {
    const double k = std::ceil(law.n * law.p + std::sqrt(law.n * law.p * 9));
    const double tail = own_log_tail(k, law);
    EXPECT_TRUE(within(sandwich(k, law), tail));
    EXPECT_FALSE(within(sandwich(k, law), 0));
    EXPECT_FALSE(within(sandwich(k, law), own_log_tail(k + 2, law)));
    EXPECT_FALSE(within(sandwich(k, law), own_log_tail(k - 2, law)));
  }
}

TEST(OwnLogTail, AgreesWithBoostAndWithItself) {
  for (const double p : {.001, .1, .5, .9})
    for (const double n : {300.0, 3'000.0, 10'000.0}) {
      const BinomialLaw law{n, p, 1 - p};
      const double deviation = std::sqrt(n * p * (1 - p));
      for (double z = .5; z < 8; z += .5) {
        const double k = std::ceil(n * p + z * deviation);
        if (k > n) continue;
        const double fraction = log_tail_by_fraction(k, law);
        EXPECT_NEAR(fraction, log_tail_by_boost(k, law), 2e-12) << k;
      }
    }
}

TEST(OwnLogTail, HasTwoWaysThatAgreeForLargeN) {
  for (const double p : {.001, .1, .5, .999})
    for (const double n : {2e7, 1e9, 1e12}) {
      const BinomialLaw law{n, p, 1 - p};
      const double deviation = std::sqrt(n * p * (1 - p));
      for (const double z : {.01, .3, 1.0, 1.9}) {
        const double k = std::ceil(n * p + z * deviation);
        EXPECT_NEAR(log_tail_by_integral(k, law), log_tail_by_fraction(k, law),
                    2e-12)
            << k << " of " << n << " at " << p;
      }
    }
}

TEST(LogMass, SumsToOneAndIsImpossibleBeyondN) {
  double sum = 0;
  for (std::uint64_t k = 0; k <= 200; ++k)
    sum += std::exp(log_mass(k, 200, .03));
  EXPECT_NEAR(sum, 1, 1e-13);
  EXPECT_EQ(log_mass(201, 200, .03), -kInfinity);
  EXPECT_EQ(log_mass(0, 200, 0), 0);
  EXPECT_EQ(log_mass(1, 200, 0), -kInfinity);
  EXPECT_EQ(log_mass(200, 200, 1), 0);
}

TEST(LogTwoSidedP, IsTwiceTheSmallerTail) {
  for (const double p : {.01, .3, .5})
    for (const std::uint64_t n : {1U, 2U, 30U, 20'000U})
      for (std::uint64_t k = 0; k <= n; k += 1 + n / 40) {
        const double tail =
            std::min(log_upper_tail(k, n, p), log_lower_tail(k, n, p));
        EXPECT_NEAR(log_two_sided_p(k, n, p),
                    std::min(0.0, std::log(2.0) + tail), 1e-11)
            << k << " of " << n << " at " << p;
      }
}

TEST(CriticalCounts, AreTheFirstOnesBeyondTheLevel) {
  for (const double p : {1e-5, .1, .5})
    for (const std::uint64_t n : {1'000ULL, 1'000'000ULL, 1'000'000'000'000ULL})
      for (const double level : {-3.0, std::log(1e-9), -1'000.0}) {
        const std::uint64_t upper = upper_critical_count(n, p, level);
        EXPECT_LE(log_upper_tail(upper, n, p), level);
        EXPECT_GT(log_upper_tail(upper - 1, n, p), level);
        const std::int64_t lower = lower_critical_count(n, p, level);
        const auto beyond = static_cast<std::uint64_t>(lower + 1);
        EXPECT_GT(log_lower_tail(beyond, n, p), level);
        if (lower < 0) continue;
        EXPECT_LE(log_lower_tail(beyond - 1, n, p), level);
      }
}

TEST(CriticalCounts, DoNotExistWhereNothingIsRareEnough) {
  EXPECT_EQ(upper_critical_count(10, .5, -20), 11U);
  EXPECT_EQ(lower_critical_count(10, .5, -20), -1);
}

}  // namespace
}  // namespace dropcheck::stats
