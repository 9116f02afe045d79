// What a chi-square test at nominal 1e-9 really does: the table of STATISTICS
// 2.d. Two cells and uniform cells exactly; the rest by importance sampling
// from the Dirichlet-multinomial law, whose likelihood ratio is the e-value.
#include <array>
#include <cmath>
#include <random>
#include <vector>

#include "dropcheck/stats/binomial_tail.hpp"
#include "dropcheck/stats/chi_square.hpp"
#include "dropcheck/stats/dirichlet_multinomial.hpp"
#include "near.hpp"
#include "special.hpp"

namespace dropcheck::stats {
namespace {

constexpr double kAlpha = 1e-9;
constexpr double kZ = 6.1094102048694;  // two-sided 1e-9

double probability_of(std::uint64_t n, double p, std::uint64_t k) {
  return std::exp(log_mass(k, n, p));
}

// P(rejected) for a two-sided test, given where it rejects: two tails.
template <typename Rejects>
double size_of(std::uint64_t n, double p, const Rejects& rejects) {
  const double mean = static_cast<double>(n) * p;
  const auto centre = static_cast<std::uint64_t>(mean);
  const auto reach =
      static_cast<std::uint64_t>(40 * std::sqrt(mean * (1 - p)) + 100);
  double size = 0;
  const std::uint64_t begin = centre > reach ? centre - reach : 0;
  for (std::uint64_t k = begin; k <= std::min(n, centre + reach); ++k)
    if (rejects(static_cast<double>(k))) size += probability_of(n, p, k);
  return size;
}

double known_variance(std::uint64_t n, double p) {
  const double size = static_cast<double>(n);
  return size_of(n, p, [&](double k) {
    return std::abs(k - size * p) >= kZ * std::sqrt(size * p * (1 - p));
  });
}

double estimated_variance(std::uint64_t n, double p) {
  const double size = static_cast<double>(n);
  return size_of(n, p, [&](double k) {
    return std::abs(k - size * p) >= kZ * std::sqrt(k * (1 - k / size));
  });
}

struct Row {
  std::uint64_t n;
  double p;
  double ratio;  // actual size over 1e-9
};

TEST(TwoCells, AreWrongByTheTabledFactor) {
  for (const auto& [n, p, ratio] : {Row{10'000, .1, 1.37},
                                    {1'000'000, .1, 1.01},
                                    {10'000, .01, 10.4},
                                    {100'000, .01, 1.5},
                                    {10'000, .001, 246},
                                    {100'000, .001, 7.6},
                                    {1'000'000, .001, 1.5}})
    EXPECT_TRUE(agrees(known_variance(n, p) / kAlpha, ratio, .04))
        << n << ' ' << p;
}

TEST(TwoCells, AreWrongOnOneSideOnlyWhereDropsAreRare) {
  const std::uint64_t n = 10'000;
  const double edge = 10 + kZ * std::sqrt(10 * .999);
  EXPECT_TRUE(agrees(std::exp(log_upper_tail(
                         static_cast<std::uint64_t>(std::ceil(edge)), n, .001)),
                     2.5e-7, .03));
  EXPECT_LT(10 - kZ * std::sqrt(10 * .999), 0);
}

TEST(EstimatedVariance, IsWrongByMore) {
  for (const auto& [n, p, ratio] : {Row{1'000, .1, 205},
                                    {1'000, .01, 4.8e5},
                                    {10'000, .01, 307},
                                    {10'000, .1, 4.2},
                                    {1'000'000, .01, 1.33}})
    EXPECT_TRUE(agrees(estimated_variance(n, p) / kAlpha, ratio, .05))
        << n << ' ' << p;
}

// The critical value at nominal alpha.
double critical_value(double degrees, double alpha) {
  double low = 0;
  double high = 1e6;
  for (int step = 0; step < 200; ++step) {
    const double middle = (low + high) / 2;
    (log_chi_square_upper_tail(middle, degrees) > std::log(alpha) ? low
                                                                  : high) =
        middle;
  }
  return high;
}

// P(X^2 >= critical) of `cells` equally likely cells and n counts: the law of
// (counts so far, sum of squares so far), one cell after the other, up to the
// largest sum of squares that does not reject.
double uniform_size(std::size_t cells, std::size_t n) {
  const double k = static_cast<double>(cells);
  const double size = static_cast<double>(n);
  const double critical = critical_value(k - 1, kAlpha);
  const auto squares =
      static_cast<std::size_t>(std::ceil((critical + size) * size / k - 1e-9));
  std::vector<double> law((n + 1) * squares);
  law[0] = 1;
  double rejected = 0;
  for (std::size_t cell = 0; cell < cells; ++cell) {
    const double share = 1 / (k - static_cast<double>(cell));
    std::vector<double> next(law.size());
    for (std::size_t used = 0; used <= n; ++used) {
      std::vector<double> mass(n - used + 1);
      for (std::size_t o = 0; o < mass.size(); ++o)
        mass[o] = probability_of(n - used, share, o);
      for (std::size_t sum = 0; sum < squares; ++sum) {
        const double before = law[used * squares + sum];
        if (before < 1e-40) continue;
        for (std::size_t o = 0; o < mass.size(); ++o) {
          if (sum + o * o >= squares) {
            for (; o < mass.size(); ++o) rejected += before * mass[o];
            break;
          }
          next[(used + o) * squares + sum + o * o] += before * mass[o];
        }
      }
    }
    law = std::move(next);
  }
  return rejected;
}

// Where STATISTICS 2.d has 1481 and 459 for a mean count of 1, it sampled.
TEST(UniformCells, AreWrongByTheTabledFactor) {
  struct Uniform {
    std::size_t cells;
    std::size_t n;
    double ratio;
  };
  for (const auto& [cells, n, ratio] :
       {Uniform{16, 16, 1498.7}, {16, 80, 35}, {64, 64, 373.65}})
    EXPECT_TRUE(agrees(uniform_size(cells, n) / kAlpha, ratio, .03))
        << cells << ' ' << n;
}

// Draws a table from the Dirichlet-multinomial law of these cells.
std::vector<std::uint64_t> draw(std::mt19937_64& generator,
                                const std::vector<double>& theta, double kappa,
                                std::uint64_t n) {
  std::vector<double> gammas;
  double rest = 0;
  for (const double t : theta) {
    gammas.push_back(std::gamma_distribution<double>(kappa * t)(generator));
    rest += gammas.back();
  }
  std::vector<std::uint64_t> counts;
  for (const double gamma : gammas) {
    const double share = std::min(1.0, gamma / rest);
    counts.push_back(
        std::binomial_distribution<std::uint64_t>(n, share)(generator));
    n -= counts.back();
    rest -= gamma;
  }
  return counts;
}

struct Estimate {
  double value;
  double standard_error;
};

// kappa such that X^2, whose mean is degrees (1 + n / kappa) then, is near its
// critical value.
template <typename LogP>
Estimate sampled_size(const std::vector<double>& theta, std::uint64_t n,
                      double level, const LogP& log10_p) {
  const double degrees = static_cast<double>(theta.size()) - 1;
  const double critical = critical_value(degrees, level);
  const double kappa = static_cast<double>(n) / (critical / degrees - 1);
  std::mt19937_64 generator(17);
  constexpr int kDraws = 4'000;
  double sum = 0;
  double squares = 0;
  for (int i = 0; i < kDraws; ++i) {
    const std::vector<std::uint64_t> counts = draw(generator, theta, kappa, n);
    if (log10_p(counts) > std::log10(level)) continue;
    const double weight =
        std::exp(-log_dirichlet_multinomial(counts, theta, kappa));
    sum += weight;
    squares += weight * weight;
  }
  const double mean = sum / kDraws;
  return {mean, std::sqrt((squares / kDraws - mean * mean) / kDraws)};
}

// Without the cell rule: Pearson's statistic as it stands.
double plain_log10_p(const std::vector<std::uint64_t>& counts,
                     const std::vector<double>& theta, double n) {
  double sum = 0;
  for (std::size_t j = 0; j < counts.size(); ++j) {
    const double residual = static_cast<double>(counts[j]) - n * theta[j];
    sum += residual * residual / (n * theta[j]);
  }
  return log_chi_square_upper_tail(sum,
                                   static_cast<double>(counts.size()) - 1) /
         std::log(10.0);
}

TEST(SampledCells, ReproduceTheTableToo) {
  struct Uniform {
    std::size_t cells;
    std::uint64_t n;
    double ratio;
  };
  for (const auto& [cells, n, ratio] : {Uniform{16, 320, 4.0},
                                        {16, 1'600, 1.44},
                                        {64, 1'280, 1.85},
                                        {256, 5'120, 1.26}}) {
    const std::vector<double> theta(cells, 1.0 / static_cast<double>(cells));
    const auto [value, error] =
        sampled_size(theta, n, kAlpha, [&](const auto& counts) {
          return plain_log10_p(counts, theta, static_cast<double>(n));
        });
    EXPECT_NEAR(value / kAlpha, ratio, 5 * error / kAlpha + .03 * ratio)
        << cells << ' ' << n;
    EXPECT_LT(error / value, .2) << cells << ' ' << n;
  }
}

// Thin cells of that expected count beside a thick one that holds the rest.
std::vector<double> thin_cells(std::size_t cells, double rest) {
  std::vector<double> theta(cells, (1 - rest) / static_cast<double>(cells));
  theta.push_back(rest);
  return theta;
}

// As many as expected, so that only the rule speaks.
bool valid(const std::vector<double>& theta, std::uint64_t n) {
  std::vector<std::uint64_t> counts;
  for (const double t : theta)
    counts.push_back(
        static_cast<std::uint64_t>(std::llround(static_cast<double>(n) * t)));
  return goodness_of_fit(counts, theta, kAlpha).valid_at_level;
}

Estimate size_at_half_alpha(const std::vector<double>& theta, std::uint64_t n) {
  return sampled_size(theta, n, kAlpha / 2, [&](const auto& counts) {
    return plain_log10_p(counts, theta, static_cast<double>(n));
  });
}

// The rule itself: where a result calls itself valid, it fails a right layer
// with probability at most alpha if compared with alpha / 2.
TEST(CellRule, KeepsItsPromiseWhereItSaysValid) {
  struct Case {
    std::vector<double> theta;
    std::uint64_t n;
  };
  const std::vector<Case> cases = {{std::vector<double>(8, 1 / 8.), 800},
                                   {std::vector<double>(16, 1 / 16.), 1'600},
                                   {std::vector<double>(64, 1 / 64.), 6'400},
                                   {std::vector<double>(3, 1 / 3.), 3'000},
                                   {thin_cells(1, .999), 1'000'000},
                                   {thin_cells(7, .99), 280'000},
                                   {thin_cells(15, .9), 37'500}};
  for (const auto& [theta, n] : cases) {
    EXPECT_TRUE(valid(theta, n)) << theta.size() << ' ' << n;
    const auto [value, error] = size_at_half_alpha(theta, n);
    EXPECT_LE(value - 3 * error, kAlpha) << theta.size() << ' ' << n;
    EXPECT_GE(value + 5 * error, kAlpha / 2) << theta.size() << ' ' << n;
    EXPECT_LT(error / value, .15) << theta.size() << ' ' << n;
  }
}

// A count of 100 in every cell is not enough where one holds most: there the
// true size at alpha / 2 is five times nominal, and the rule says so.
TEST(CellRule, RefusesThinCellsBesideAThickOne) {
  for (const double rest : {.9, .99, .999}) {
    const std::vector<double> theta = thin_cells(7, rest);
    const auto n = static_cast<std::uint64_t>(std::llround(700 / (1 - rest)));
    EXPECT_FALSE(valid(theta, n)) << rest;
    const auto [value, error] = size_at_half_alpha(theta, n);
    EXPECT_GT(value - 3 * error, kAlpha) << rest;
  }
}

TEST(CellRule, KeepsItsPromiseForTwoCellsExactly) {
  const double z = 6.21610;  // two-sided 5e-10
  for (const auto& [n, p, ratio] :
       {Row{10'000, .1, 1}, {100'000, .01, 1}, {1'000'000, .001, 1}}) {
    const double size = static_cast<double>(n);
    const std::array theta = {p, 1 - p};
    const std::array counts = {static_cast<std::uint64_t>(size * p + .5),
                               n - static_cast<std::uint64_t>(size * p + .5)};
    EXPECT_TRUE(goodness_of_fit(counts, theta, kAlpha).valid_at_level);
    EXPECT_LE(size_of(n, p,
                      [&](double k) {
                        return std::abs(k - size * p) >=
                               z * std::sqrt(size * p * (1 - p));
                      }),
              kAlpha)
        << n << ' ' << p;
  }
}

// Two groups of one rate, given the drops of both together: hypergeometric.
TEST(CellRule, KeepsItsPromiseForTwoGroupsExactly) {
  for (const std::uint64_t n : {2'000U, 10'000U}) {
    const std::uint64_t drops = 2'000;
    double size = 0;
    for (std::uint64_t k = 0; k <= drops; ++k) {
      const std::array groups = {Counts{k, n}, Counts{drops - k, n}};
      const Diagnostic test = homogeneity_chi_square(groups, kAlpha);
      ASSERT_TRUE(test.valid_at_level) << test.note;
      if (test.log10_p <= std::log10(kAlpha / 2))
        size += std::exp(log_mass(k, n, .1) + log_mass(drops - k, n, .1) -
                         log_mass(drops, 2 * n, .1));
    }
    EXPECT_LE(size, kAlpha) << n;
    EXPECT_GE(size, kAlpha / 10) << n;
  }
}

// Two rows and three columns, given all margins.
TEST(CellRule, KeepsItsPromiseForATableOfTwoByThreeExactly) {
  const std::array<std::uint64_t, 3> columns = {300, 300, 400};
  const std::uint64_t row = 600;
  double size = 0;
  for (std::uint64_t i = 0; i <= columns[0]; ++i)
    for (std::uint64_t j = 0; j <= columns[1]; ++j) {
      if (row < i + j || row - i - j > columns[2]) continue;
      const std::uint64_t k = row - i - j;
      const std::array cells = {
          i, j, k, columns[0] - i, columns[1] - j, columns[2] - k};
      const Diagnostic test = independence_chi_square(cells, 3, kAlpha);
      ASSERT_TRUE(test.valid_at_level) << test.note;
      if (test.log10_p <= std::log10(kAlpha / 2))
        size += std::exp(log_mass(i, 300, .6) + log_mass(j, 300, .6) +
                         log_mass(k, 400, .6) - log_mass(row, 1'000, .6));
    }
  EXPECT_LE(size, kAlpha);
  EXPECT_GE(size, kAlpha / 4);
}

// Groups of very different size and a small rate: skewed both ways.
TEST(CellRule, RefusesOneSmallGroupBesideALargeOneWhereDropsAreRare) {
  const std::uint64_t drops = 10'100;
  const std::uint64_t small = 10'000;
  const std::uint64_t large = 1'000'000;
  double size = 0;
  for (std::uint64_t k = 0; k <= 1'000; ++k) {
    const std::array groups = {Counts{k, small}, Counts{drops - k, large}};
    const Diagnostic test = homogeneity_chi_square(groups, kAlpha);
    ASSERT_FALSE(test.valid_at_level) << k;
    if (test.log10_p <= std::log10(kAlpha / 2))
      size +=
          std::exp(log_mass(k, small, .01) + log_mass(drops - k, large, .01) -
                   log_mass(drops, small + large, .01));
  }
  EXPECT_GT(size, 3 * kAlpha);
}

// Drops per group of 64, merged by our rule.
TEST(CellRule, KeepsItsPromiseForDropsPerGroup) {
  std::vector<double> theta;
  for (std::uint64_t j = 0; j <= 64; ++j)
    theta.push_back(probability_of(64, .1, j));
  const std::uint64_t groups = 10'000;
  // Cells that the rule merges are drawn as one.
  std::vector<double> merged;
  double open = 0;
  for (const double t : theta) {
    open += t;
    if (open * static_cast<double>(groups) < 100) continue;
    merged.push_back(open);
    open = 0;
  }
  merged.back() += open;
  const auto [value, error] =
      sampled_size(merged, groups, kAlpha, [&](const auto& counts) {
        return goodness_of_fit(counts, merged, kAlpha).log10_p;
      });
  EXPECT_NEAR(value / kAlpha, 1.2, .1 + 5 * error / kAlpha);
}

}  // namespace
}  // namespace dropcheck::stats
