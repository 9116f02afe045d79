// Every discrete p-value of the library is super-uniform: sup over attained u
// of P(p <= u) / u is at most 1, by enumeration; and the one that is uniform is
// so exactly (STATISTICS 2.d).
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <functional>
#include <numbers>
#include <random>
#include <string>
#include <vector>

#include "dropcheck/stats/binomial_tail.hpp"
#include "dropcheck/stats/clopper_pearson.hpp"
#include "dropcheck/stats/half_widths.hpp"
#include "dropcheck/stats/p_values.hpp"
#include "dropcheck/stats/serial.hpp"

namespace dropcheck::stats {
namespace {

struct Outcome {
  double log_p;
  double probability;
};

// sup over attained u of P(p-value <= u) / u.
double largest_excess(std::vector<Outcome> outcomes) {
  std::sort(outcomes.begin(), outcomes.end(),
            [](const auto& a, const auto& b) { return a.log_p < b.log_p; });
  double sum = 0;
  double largest = 0;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    sum += outcomes[i].probability;
    const bool last_of_its_value =
        i + 1 == outcomes.size() ||
        outcomes[i + 1].log_p > outcomes[i].log_p + 1e-10;
    if (last_of_its_value && sum > 1e-290)
      largest = std::max(largest, sum / std::exp(outcomes[i].log_p));
  }
  return largest;
}

using BinomialPValue =
    std::function<double(std::uint64_t k, std::uint64_t n, double p)>;

double excess_of(const BinomialPValue& log_p, std::uint64_t n, double p) {
  std::vector<Outcome> outcomes;
  for (std::uint64_t k = 0; k <= n; ++k)
    outcomes.push_back({log_p(k, n, p), std::exp(log_mass(k, n, p))});
  return largest_excess(std::move(outcomes));
}

struct NamedPValue {
  std::string name;
  BinomialPValue log_p;
  bool sharp;  ///< Whether the supremum is 1, not less.
};

double log_merged(std::uint64_t k, std::uint64_t n, double p,
                  double (*merge)(std::span<const double>)) {
  const std::array tails = {log_upper_tail(k, n, p), log_lower_tail(k, n, p)};
  return merge(tails);
}

const NamedPValue kPValues[] = {
    {"log_upper_tail", log_upper_tail, true},
    {"log_lower_tail", log_lower_tail, true},
    {"log_two_sided_p", log_two_sided_p, true},
    {"log_bentkus_tail", log_bentkus_tail, true},
    {"log_bonferroni of both tails",
     [](std::uint64_t k, std::uint64_t n, double p) {
       return log_merged(k, n, p, log_bonferroni);
     },
     true},
    {"log_harmonic_mean of both tails",
     [](std::uint64_t k, std::uint64_t n, double p) {
       return log_merged(k, n, p, log_harmonic_mean);
     },
     true}};

TEST(EveryDiscretePValue, IsSuperUniform) {
  for (const auto& [name, log_p, sharp] : kPValues)
    for (const std::uint64_t n : {1U, 50U, 500U, 5'000U})
      for (const double p : {.01, .1, .5, .9}) {
        const double excess = excess_of(log_p, n, p);
        EXPECT_LE(excess, 1 + 1e-9) << name << ' ' << n << ' ' << p;
        EXPECT_GT(excess, sharp ? 1 - 1e-6 : 0) << name << ' ' << n << ' ' << p;
      }
}

// The enumeration can fail: half of the two-sided p-value, and the mid-p-value.
TEST(EveryDiscretePValue, IsToldFromWhatIsNone) {
  const auto smaller_tail = [](std::uint64_t k, std::uint64_t n, double p) {
    return log_two_sided_p(k, n, p) - std::numbers::ln2;
  };
  EXPECT_GT(excess_of(smaller_tail, 50, .5), 1.9);
  const auto mid_p = [](std::uint64_t k, std::uint64_t n, double p) {
    return log_randomised_p({k, n}, p, .5);
  };
  EXPECT_GT(excess_of(mid_p, 500, .1), 1.3);
}

TEST(FisherOfIndependentBinomials, IsSuperUniform) {
  std::vector<Outcome> outcomes;
  for (std::uint64_t i = 0; i <= 40; ++i)
    for (std::uint64_t j = 0; j <= 25; ++j) {
      const std::array log_p = {log_upper_tail(i, 40, .1),
                                log_two_sided_p(j, 25, .3)};
      outcomes.push_back({log_fisher(log_p),
                          std::exp(log_mass(i, 40, .1) + log_mass(j, 25, .3))});
    }
  EXPECT_LE(largest_excess(std::move(outcomes)), 1 + 1e-9);
}

TEST(SerialPValuesOfFairCoins, AreSuperUniform) {
  constexpr int kBits = 14;
  std::vector<Outcome> lags;
  std::vector<Outcome> changes;
  for (std::uint32_t mask = 0; mask < (1U << kBits); ++mask) {
    const std::uint32_t later = mask >> 3;
    const std::uint32_t earlier = mask & ((1U << (kBits - 3)) - 1);
    const auto count = [](std::uint32_t bits) {
      return static_cast<std::uint64_t>(std::popcount(bits));
    };
    const TwoByTwo pairs{count(earlier & later), count(earlier & ~later),
                         count(~earlier & later),
                         kBits - 3 - count(earlier | later)};
    lags.push_back({lag_sum_test(pairs, .5).log10_p * std::numbers::ln10,
                    std::ldexp(1.0, -kBits)});
    const std::uint32_t edges =
        (mask ^ (mask >> 1)) & ((1U << (kBits - 1)) - 1);
    changes.push_back({transitions_test({count(edges), kBits}, .5).log10_p *
                           std::numbers::ln10,
                       std::ldexp(1.0, -kBits)});
  }
  EXPECT_NEAR(largest_excess(std::move(lags)), 1, 1e-9);
  EXPECT_NEAR(largest_excess(std::move(changes)), 1, 1e-9);
}

TEST(ClopperPearsonIntervals, MissEveryRateWithProbabilityAtMostAlpha) {
  for (const double alpha : {.2, .01, 1e-9})
    for (const std::uint64_t n : {1U, 12U, 60U}) {
      std::vector<Interval> intervals;
      for (std::uint64_t k = 0; k <= n; ++k)
        intervals.push_back(clopper_pearson({k, n}, alpha));
      for (double p = .005; p < 1; p += .009) {
        double missed = 0;
        for (std::uint64_t k = 0; k <= n; ++k)
          if (p < intervals[k].lower || p > intervals[k].upper)
            missed += std::exp(log_mass(k, n, p));
        EXPECT_LE(missed, alpha) << n << ' ' << p;
      }
    }
}

// P(p-value <= u) for u uniform over the randomisation, exactly.
TEST(RandomisedPValue, IsExactlyUniform) {
  for (const std::uint64_t n : {1U, 7U, 200U})
    for (const double p : {.03, .5})
      for (const double u : {1e-9, 1e-3, .1, .5, .9, 1.0}) {
        double below = 0;
        for (std::uint64_t k = 0; k <= n; ++k) {
          const double least = std::exp(log_randomised_p({k, n}, p, 0));
          const double most = std::exp(log_randomised_p({k, n}, p, 1));
          const double share = (u - least) / (most - least);
          if (most > least)
            below += std::clamp(share, 0.0, 1.0) * std::exp(log_mass(k, n, p));
        }
        EXPECT_NEAR(below, u, 1e-12 + 1e-9 * u) << n << ' ' << p;
      }
}

// Kolmogorov's distance of 1e5 p-values from the uniform law. By the inequality
// of Dvoretzky, Kiefer, Wolfowitz and Massart it exceeds this bound with
// probability at most 1e-9 where the law is uniform.
constexpr std::size_t kSamples = 100'000;
const double kBound = std::sqrt(std::log(2e9) / (2.0 * kSamples));

double distance_from_uniform(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  double largest = 0;
  const double n = static_cast<double>(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double rank = static_cast<double>(i);
    largest =
        std::max({largest, (rank + 1) / n - values[i], values[i] - rank / n});
  }
  return largest;
}

template <typename PValue>
double sampled_distance(const PValue& p_value) {
  std::mt19937_64 generator(20'240'731);
  std::binomial_distribution<std::uint64_t> law(20, .3);
  std::uniform_real_distribution<double> uniform;
  std::vector<double> values;
  for (std::size_t i = 0; i < kSamples; ++i) {
    const std::uint64_t k = law(generator);
    values.push_back(std::exp(p_value(k, uniform(generator))));
  }
  return distance_from_uniform(std::move(values));
}

TEST(RandomisedPValue, PassesTheTestOfKolmogorov) {
  EXPECT_LT(sampled_distance([](std::uint64_t k, double u) {
              return log_randomised_p({k, 20}, .3, u);
            }),
            kBound);
}

// Why no discrete p-value may be put to that test: it rejects a right one.
TEST(DiscretePValue, FailsTheTestOfKolmogorovAlthoughRight) {
  EXPECT_GT(sampled_distance([](std::uint64_t k, double) {
              return log_two_sided_p(k, 20, .3);
            }),
            10 * kBound);
}

}  // namespace
}  // namespace dropcheck::stats
