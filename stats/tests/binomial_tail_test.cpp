// Values by 40-digit arithmetic (STATISTICS 2.a F1); Boost's own tails and the
// Zubkov-Serov sandwich are two further witnesses.
#include "dropcheck/stats/binomial_tail.hpp"

#include <boost/math/distributions/binomial.hpp>
#include <limits>

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

TEST(LogUpperTail, StaysFiniteWhereDoublesUnderflow) {
  EXPECT_TRUE(
      agrees(log_upper_tail(10'000, 10'000, .1), 10'000 * std::log(.1), 1e-14));
  EXPECT_TRUE(
      agrees(log_lower_tail(0, 1'000'000, .1), 1e6 * std::log1p(-.1), 1e-14));
  EXPECT_LT(log_upper_tail(900'000, 1'000'000, .1), -1.7e6);
  EXPECT_TRUE(std::isfinite(log_upper_tail(900'000, 1'000'000, .1)));
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

// sup over attained u of P(p-value <= u) / u must not exceed 1.
TEST(LogTwoSidedP, IsAPValue) {
  const boost::math::binomial law(50, .1);
  for (unsigned seen = 0; seen <= 50; ++seen) {
    const double level = log_two_sided_p(seen, 50, .1);
    double mass = 0;
    for (unsigned k = 0; k <= 50; ++k)
      if (log_two_sided_p(k, 50, .1) <= level) mass += pdf(law, k);
    EXPECT_LE(mass, std::exp(level) * (1 + 1e-9)) << seen;
  }
}

}  // namespace
}  // namespace dropcheck::stats
