// Coverage by enumeration of all masks of twelve units, at every look; widths
// by inversion.
#include "dropcheck/stats/confidence.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <stdexcept>

#include "dropcheck/stats/binomial_tail.hpp"
#include "near.hpp"

namespace dropcheck::stats {
namespace {

constexpr double kA = 20.7232658369;
const double kA10 = std::log(10.0);
constexpr std::array kPriors = {BetaPrior{1.2, 2.8}, BetaPrior{.6, 1.4}};

// Units fall into two contexts by the unit before, with rates of their own.
struct Rates {
  double after_keep;
  double after_drop;
};
struct Walk {
  BinaryContexts contexts;
  double probability = 1;
  bool after_drop = false;

  void step(bool drop, const Rates& rates) {
    const double p = after_drop ? rates.after_drop : rates.after_keep;
    probability *= drop ? p : 1 - p;
    (after_drop ? contexts.after_drop : contexts.after_keep) +=
        {drop ? 1U : 0U, 1};
    after_drop = drop;
  }
};

// Whether the true rates, or their difference, are ever excluded. Membership
// is asked by the e-value that the interval inverts.
bool misses_difference(const Walk& walk, const Rates& rates) {
  return log_difference_e_value(walk.contexts, kPriors,
                                rates.after_drop - rates.after_keep) >= kA10;
}
bool misses_a_rate(const Walk& walk, const Rates& rates) {
  const double level = kA10 + std::log(2.0);
  return log_martingale(walk.contexts.after_keep, kPriors[0],
                        rates.after_keep) >= level ||
         log_martingale(walk.contexts.after_drop, kPriors[1],
                        rates.after_drop) >= level;
}

template <typename Misses>
double chance_of_a_miss(const Rates& rates, const Misses& misses) {
  double total = 0;
  for (std::uint32_t mask = 0; mask < 1U << 12; ++mask) {
    Walk walk;
    bool missed = false;
    for (int i = 0; i < 12; ++i) {
      walk.step(mask >> i & 1U, rates);
      missed = missed || misses(walk, rates);
    }
    total += missed ? walk.probability : 0;
  }
  return total;
}

TEST(RateDifference, CoversTheTruthAtAllLooksTogether) {
  for (const Rates rates : {Rates{.3, .3}, Rates{.1, .7}, Rates{.5, .2},
                            Rates{.02, .98}, Rates{.9, .95}})
    EXPECT_LE(chance_of_a_miss(rates, misses_difference), .1);
}

TEST(SimultaneousRates, CoverTheTruthAtAllLooksTogether) {
  for (const Rates rates : {Rates{.3, .3}, Rates{.1, .7}, Rates{.9, .05}})
    EXPECT_LE(chance_of_a_miss(rates, misses_a_rate), .1);
}

TEST(RateDifference, EndsWhereItsEValueReachesTheThreshold) {
  const BinaryContexts contexts{{8'900, 90'000}, {1'100, 10'000}};
  const std::array priors = {prior_around(.1, 2e3), prior_around(.1, 200)};
  const auto [lower, upper] = rate_difference(contexts, priors, kA);
  EXPECT_LT(lower, 1.1 / 10 - .89 / 9);
  EXPECT_GT(upper, 1.1 / 10 - .89 / 9);
  EXPECT_LT(upper - lower, .05);
  for (const double end : {lower, upper})
    EXPECT_NEAR(log_difference_e_value(contexts, priors, end), kA, 1e-6);
}

TEST(RateDifference, KnowsEverythingOrNothingAtTheEdge) {
  const std::array priors = {prior_around(.5, 2), prior_around(.5, 2)};
  const Interval nothing = rate_difference({}, priors, kA);
  EXPECT_EQ(nothing.lower, -1);
  EXPECT_EQ(nothing.upper, 1);
  const Interval copy = rate_difference({{0, 900}, {900, 900}}, priors, kA);
  EXPECT_GT(copy.lower, .9);
  EXPECT_EQ(copy.upper, 1);
}

TEST(SimultaneousRates, AgreeWithOneSequenceAtASharperLevel) {
  const std::array groups = {Counts{10, 100}, Counts{30, 100}, Counts{10, 100}};
  const BetaPrior prior = prior_around(.1, 20);
  const std::array priors = {prior, prior, prior};
  const auto one = simultaneous_rates(groups, prior, kA);
  const auto each = simultaneous_rates(groups, priors, kA);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const Interval expected =
        confidence_sequence(groups[g], prior, kA + std::log(3.0));
    EXPECT_EQ(one[g].lower, expected.lower);
    EXPECT_EQ(each[g].upper, expected.upper);
  }
}

// Three cells, ten tuples, every table, weighted by its multinomial law.
TEST(CellProbabilities, CoverAllCellsTogether) {
  const std::array theta = {.2, .3, .5};
  double missed = 0;
  for (std::uint64_t a = 0; a <= 10; ++a)
    for (std::uint64_t b = 0; a + b <= 10; ++b) {
      const std::array counts = {a, b, 10 - a - b};
      double log_law = std::lgamma(11);
      for (std::size_t j = 0; j < 3; ++j) {
        const double n = static_cast<double>(counts[j]);
        log_law += n * std::log(theta[j]) - std::lgamma(n + 1);
      }
      const auto intervals = cell_probabilities(counts, theta, 4, kA10);
      bool covered = true;
      for (std::size_t j = 0; j < 3; ++j)
        covered = covered && intervals[j].lower <= theta[j] &&
                  theta[j] <= intervals[j].upper;
      missed += covered ? 0 : std::exp(log_law);
    }
  EXPECT_LE(missed, .1);
  EXPECT_GT(missed, 0);
}

TEST(CellProbabilities, NarrowTowardsWhatIsSeen) {
  const std::array<std::uint64_t, 2> counts = {10'000, 30'000};
  const std::array theta = {.3, .7};
  const auto intervals = cell_probabilities(counts, theta, 500, kA);
  EXPECT_GT(intervals[0].lower, .23);
  EXPECT_LT(intervals[0].upper, .27);
}

TEST(Confidence, RejectsWhatDoesNotFit) {
  const std::array groups = {Counts{3, 2}};
  const std::array good = {Counts{1, 2}};
  const BetaPrior prior{1, 1};
  EXPECT_THROW(simultaneous_rates(groups, prior, kA), std::domain_error);
  EXPECT_THROW(simultaneous_rates(good, prior, 0), std::domain_error);
  EXPECT_THROW(simultaneous_rates(good, kPriors, kA), std::invalid_argument);
  const std::array<std::uint64_t, 2> counts = {1, 1};
  const std::array theta = {1., 0.};
  EXPECT_THROW(cell_probabilities(counts, theta, 1, kA), std::domain_error);
  EXPECT_THROW(rate_difference({{3, 2}, {0, 1}}, kPriors, kA),
               std::domain_error);
  EXPECT_THROW(log_difference_e_value({}, kPriors, 1.5), std::domain_error);
}

}  // namespace
}  // namespace dropcheck::stats
