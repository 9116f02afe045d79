// Events of probability 1e-9 by a few thousand paths. Where E is an e-value,
// the likelihood ratio of a law Q to the null, the null crosses 1 / alpha with
// probability E_Q[1 / E at the crossing]: sampled under Q, where crossing is
// common (STATISTICS 2.d). Expected values are exact, by dynamic programming.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <optional>
#include <random>
#include <vector>

#include "dropcheck/stats/beta_binomial.hpp"
#include "dropcheck/stats/context.hpp"
#include "dropcheck/stats/dirichlet_multinomial.hpp"
#include "special.hpp"

namespace dropcheck::stats {
namespace {

using Generator = std::mt19937_64;

constexpr double kA = 20.7232658369;

struct Estimate {
  double value;
  double standard_error;
};

// `path` draws one path under Q and returns ln E where it crossed, if it did.
template <typename Path>
Estimate crossing_probability(int paths, const Path& path) {
  Generator generator(20'240'731);
  double sum = 0;
  double squares = 0;
  for (int i = 0; i < paths; ++i) {
    const std::optional<double> log_e = path(generator);
    const double weight = log_e ? std::exp(-*log_e) : 0;
    sum += weight;
    squares += weight * weight;
  }
  const double mean = sum / paths;
  return {mean, std::sqrt((squares / paths - mean * mean) / paths)};
}

double draw_beta(Generator& generator, const BetaPrior& prior) {
  const double a = std::gamma_distribution<double>(prior.a)(generator);
  const double b = std::gamma_distribution<double>(prior.b)(generator);
  return a / (a + b);
}

class Coin {
 public:
  explicit Coin(double p)
      : threshold_(static_cast<std::uint64_t>(std::ldexp(p, 64))) {}
  bool operator()(Generator& generator) const {
    return generator() < threshold_;
  }

 private:
  std::uint64_t threshold_;
};

// The drops at which the martingale crosses, for every n: integers that move
// by at most one from n to n + 1.
struct Bounds {
  std::vector<std::uint64_t> at_most;  // one more than the count, 0 for none
  std::vector<std::uint64_t> at_least;
};
Bounds crossing_bounds(double p, const BetaPrior& prior, std::uint64_t n_max) {
  const auto crossed = [&](std::uint64_t drops, std::uint64_t n) {
    return log_martingale({drops, n}, prior, p) >= kA;
  };
  Bounds bounds{{0}, {1}};
  for (std::uint64_t n = 1; n <= n_max; ++n) {
    std::uint64_t low = bounds.at_most.back();
    while (crossed(low, n)) ++low;
    while (low > 0 && !crossed(low - 1, n)) --low;
    std::uint64_t high = bounds.at_least.back() + 1;
    while (high > 0 && high <= n + 1 && crossed(high - 1, n)) --high;
    bounds.at_most.push_back(low);
    bounds.at_least.push_back(high);
  }
  return bounds;
}

TEST(CrossingOfTheMartingale, IsEstimatedByFourThousandPaths) {
  const double p = .1;
  const BetaPrior prior = prior_around(p, recommended_kappa(p, 1e-2));
  const std::uint64_t n_max = 207'000;
  const Bounds bounds = crossing_bounds(p, prior, n_max);
  const auto path = [&](Generator& generator) -> std::optional<double> {
    const Coin coin(draw_beta(generator, prior));
    std::uint64_t drops = 0;
    for (std::uint64_t n = 1; n <= n_max; ++n) {
      drops += coin(generator);
      if (drops < bounds.at_most[n] || drops >= bounds.at_least[n])
        return log_martingale({drops, n}, prior, p);
    }
    return {};
  };
  const Estimate estimate = crossing_probability(4'000, path);
  EXPECT_NEAR(estimate.value, 6.311354e-10, 5 * estimate.standard_error);
  EXPECT_LT(estimate.standard_error, 1e-11);
}

// The same for contexts: Q draws a rate for each from its prior. Ville bounds
// the probability by 1e-9; overshoot is all that is lost.
TEST(CrossingOfAContextEValue, StaysBelowAlphaAndNotFarBelow) {
  const double p = .3;
  const std::array priors = {prior_around(p, 40), prior_around(p, 20)};
  const auto path = [&](Generator& generator) -> std::optional<double> {
    const std::array coins = {Coin(draw_beta(generator, priors[0])),
                              Coin(draw_beta(generator, priors[1]))};
    std::array<Counts, 2> contexts;
    bool last = Coin(p)(generator);
    for (int n = 1; n <= 5'000; ++n) {
      const bool next = coins[last](generator);
      contexts[last] += {next, 1};
      last = next;
      if (n % 10 != 0) continue;
      const double log_e = log_context_e_value(contexts, priors, {p, p});
      if (log_e >= kA) return log_e;
    }
    return {};
  };
  const Estimate estimate = crossing_probability(4'000, path);
  EXPECT_LE(estimate.value, 1e-9);
  EXPECT_GT(estimate.value, 1e-10);
  EXPECT_LT(estimate.standard_error, 1e-11);
}

TEST(CrossingOfADirichletMultinomial, StaysBelowAlphaAndNotFarBelow) {
  const std::array theta = {.49, .42, .09};
  const double kappa = 30;
  const auto path = [&](Generator& generator) -> std::optional<double> {
    std::array<double, 3> cells;
    for (std::size_t j = 0; j < 3; ++j)
      cells[j] = std::gamma_distribution<double>(kappa * theta[j])(generator);
    std::discrete_distribution<std::size_t> law(cells.begin(), cells.end());
    std::array<std::uint64_t, 3> counts{};
    for (int n = 1; n <= 2'000; ++n) {
      ++counts[law(generator)];
      if (n % 10 != 0) continue;
      const double log_e = log_dirichlet_multinomial(counts, theta, kappa);
      if (log_e >= kA) return log_e;
    }
    return {};
  };
  const Estimate estimate = crossing_probability(4'000, path);
  EXPECT_LE(estimate.value, 1e-9);
  EXPECT_GT(estimate.value, 1e-10);
  EXPECT_LT(estimate.standard_error, 1e-11);
}

}  // namespace
}  // namespace dropcheck::stats
