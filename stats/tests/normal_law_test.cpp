// Normal evidence: means of e-values by numerical integration and by
// enumeration, and the intervals as inversions.
#include "dropcheck/stats/normal_law.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <stdexcept>
#include <vector>

namespace dropcheck::stats {
namespace {

Interval point(double value) { return {value, value}; }

TEST(NormalLaw, QuantileInvertsProbability) {
  for (const double p : {1e-9, 1. / 64, .3, .5, .99}) {
    EXPECT_NEAR(normal_probability(normal_quantile(p)), p, 1e-14);
  }
  EXPECT_NEAR(normal_quantile(1 - 1e-9), 5.99780701500769, 1e-7);
  EXPECT_THROW(normal_quantile(0), std::domain_error);
}

// The sum of n values is N(0, n): the mean of the e-value over it, by the
// trapezoidal rule, is 1. In the tails the integrand falls as a wider normal.
TEST(NormalMean, HasMeanOne) {
  for (const double n : {1.0, 7.0, 40.0}) {
    const double weight = 3;
    const double step = std::sqrt(n) / 200;
    double mean = 0;
    for (int i = -40000; i <= 40000; ++i) {
      const double sum = i * step;
      mean += step / std::sqrt(2 * std::numbers::pi * n) *
              std::exp(-sum * sum / (2 * n) +
                       log_normal_mean_e_value(point(sum), n, weight));
    }
    EXPECT_NEAR(mean, 1, 1e-9) << n;
  }
}

// The sum of squares of n values is chi-square with n degrees of freedom. With
// u = ln Q the density is smooth for n = 1, too.
TEST(NormalVariance, HasMeanOne) {
  for (const double n : {1.0, 4.0, 30.0}) {
    double mean = 0;
    const double step = 1e-3;
    for (int i = -60000; i <= 40000; ++i) {
      const double u = i * step;
      const double squares = std::exp(u);
      mean +=
          step * std::exp(n / 2 * u - squares / 2 - n / 2 * std::numbers::ln2 -
                          std::lgamma(n / 2) +
                          log_normal_variance_e_value(point(squares), n, 9));
    }
    EXPECT_NEAR(mean, 1, 1e-6) << n;
  }
}

TEST(NormalMean, TakesTheSumThatIsLeastAgainstTheNull) {
  EXPECT_EQ(log_normal_mean_e_value({-1, 2}, 10, 1),
            log_normal_mean_e_value(point(0), 10, 1));
  EXPECT_EQ(log_normal_mean_e_value({5, 9}, 10, 1),
            log_normal_mean_e_value(point(5), 10, 1));
  EXPECT_EQ(log_normal_variance_e_value({20, 30}, 10, 1),
            log_normal_variance_e_value(point(20), 10, 1));
  EXPECT_LE(log_normal_variance_e_value({5, 30}, 10, 1),
            log_normal_variance_e_value(point(5), 10, 1));
}

TEST(NormalIntervals, InvertTheEValues) {
  const double level = 20.7;
  const Interval mean = normal_mean_interval(point(30), 1000, 20, level);
  for (const double m : {mean.lower, mean.upper}) {
    EXPECT_NEAR(log_normal_mean_e_value(point(30 - 1000 * m), 1000, 20), level,
                1e-9);
  }
  const Interval variance =
      normal_variance_interval(point(1100), 1000, 20, level);
  EXPECT_LT(variance.lower, 1.1);
  EXPECT_GT(variance.upper, 1.1);
  for (const double v : {variance.lower, variance.upper}) {
    EXPECT_NEAR(log_normal_variance_e_value(point(1100 / v), 1000, 20), level,
                1e-6);
  }
}

constexpr std::array kTheta{.2, .3, .5};
constexpr std::array<Interval, 3> kBand{Interval{.15, .25}, Interval{.25, .35},
                                        Interval{.42, .58}};

// All tables of n = 12 in three cells; probabilities at corners of the band
// and inside of it.
TEST(BandedMultinomial, HasMeanAtMostOneInTheBand) {
  constexpr unsigned kN = 12;
  const std::array<std::array<double, 3>, 4> truths{
      {{.2, .3, .5}, {.15, .27, .58}, {.25, .33, .42}, {.23, .35, .42}}};
  for (const auto& truth : truths) {
    double mean = 0;
    for (unsigned a = 0; a <= kN; ++a) {
      for (unsigned b = 0; a + b <= kN; ++b) {
        const std::array<std::uint64_t, 3> counts{a, b, kN - a - b};
        double log_probability = std::lgamma(kN + 1.0);
        for (std::size_t j = 0; j < 3; ++j) {
          const auto count = static_cast<double>(counts[j]);
          log_probability +=
              count * std::log(truth[j]) - std::lgamma(count + 1);
        }
        mean += std::exp(log_probability + log_banded_multinomial_e_value(
                                               counts, kTheta, kBand, 5));
      }
    }
    EXPECT_LE(mean, 1 + 1e-9);
  }
}

TEST(BandedMultinomial, RefutesWhatIsOutsideTheBand) {
  const std::array<std::uint64_t, 3> inside{17000, 33000, 50000};
  const std::array<std::uint64_t, 3> outside{10000, 35000, 55000};
  EXPECT_LT(log_banded_multinomial_e_value(inside, kTheta, kBand, 1000), 0);
  EXPECT_GT(log_banded_multinomial_e_value(outside, kTheta, kBand, 1000), 100);
}

TEST(NormalLaw, RefusesBadInput) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW(log_normal_mean_e_value(point(1), 0, 1), std::domain_error);
  EXPECT_THROW(log_normal_mean_e_value(point(1), 1, 0), std::domain_error);
  EXPECT_THROW(log_normal_mean_e_value(point(nan), 1, 1), std::domain_error);
  EXPECT_THROW(log_normal_mean_e_value({2, 1}, 1, 1), std::domain_error);
  EXPECT_THROW(log_normal_variance_e_value(point(-1), 1, 1), std::domain_error);
  EXPECT_THROW(normal_mean_interval(point(1), 1, 1, 0), std::domain_error);
  EXPECT_THROW(normal_variance_interval(point(0), 1, 1, 1), std::domain_error);
  const std::array<std::uint64_t, 3> counts{1, 2, 3};
  const std::vector<Interval> short_band(2, Interval{0, 1});
  EXPECT_THROW(log_banded_multinomial_e_value(counts, kTheta, short_band, 1),
               std::invalid_argument);
  const std::vector<Interval> wrong(3, Interval{0, .1});
  EXPECT_THROW(log_banded_multinomial_e_value(counts, kTheta, wrong, 1),
               std::domain_error);
}

}  // namespace
}  // namespace dropcheck::stats
