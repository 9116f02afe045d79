// Values by 40-digit arithmetic (STATISTICS 2.b F1); validity by enumeration of
// all masks of twelve units, the context being the bit before.
#include "dropcheck/stats/context.hpp"

#include <array>
#include <cmath>

#include "masks.hpp"
#include "near.hpp"

namespace dropcheck::stats {
namespace {

struct Vector {
  std::array<Counts, 2> contexts;
  double p0;
  double kappa;
  double value;
};

TEST(ContextEValue, ReproducesItsValuesAgainstOneKnownRate) {
  const Vector vectors[] = {
      {{{{90'000, 900'000}, {10'000, 100'000}}}, .1, 5e4, -2.021552833397413},
      {{{{89'100, 900'000}, {10'900, 100'000}}}, .1, 5e4, 32.18942116409294},
      {{{{250'500, 500'000}, {249'500, 500'000}}},
       .5,
       2e4,
       -1.335038769839423}};
  for (const auto& [contexts, p0, kappa, value] : vectors) {
    const std::array priors = {prior_around(p0, kappa),
                               prior_around(p0, kappa)};
    EXPECT_TRUE(
        agrees(log_context_e_value(contexts, priors, {p0, p0}), value, 1e-12));
  }
}

std::array<Counts, 2> previous_bit_contexts(std::uint32_t mask, int bits) {
  std::array<Counts, 2> contexts;
  for (int i = 1; i < bits; ++i)
    contexts[(mask >> (i - 1)) & 1U] += {(mask >> i) & 1U, 1};
  return contexts;
}

double mean_of_e(double p, Interval null_rates) {
  const std::array priors = {prior_around(.3, 4), prior_around(.3, 4)};
  return mean_over_masks(12, p, [&](std::uint32_t mask) {
    return log_context_e_value(previous_bit_contexts(mask, 12), priors,
                               null_rates);
  });
}

TEST(ContextEValue, HasMeanOneAgainstOneKnownRate) {
  for (const double p : {.05, .3, .5})
    EXPECT_NEAR(mean_of_e(p, {p, p}), 1, 1e-12);
}

TEST(ContextEValue, HasMeanAtMostOneAgainstEveryRateOfTheNull) {
  for (const double p : {.05, .2, .3, .5, .95}) {
    EXPECT_LE(mean_of_e(p, {0, 1}), 1);
    EXPECT_LE(mean_of_e(p, {p - .04, p + .02}), 1);
  }
}

TEST(ContextEValue, IsBlindToAQuantisedRate) {
  const std::array contexts = {Counts{456'314, 4'492'188},
                               Counts{51'559, 507'812}};
  const std::array priors = {prior_around(.1, context_kappa(4.5e6)),
                             prior_around(.1, context_kappa(5e5))};
  EXPECT_GT(log_context_e_value(contexts, priors, {.1, .1}), 40);
  EXPECT_LT(log_context_e_value(contexts, priors, {.1, .102}), 0);
  EXPECT_LT(log_context_e_value(contexts, priors, {0, 1}), 0);
}

TEST(ContextEValue, RefutesACopyOfThePreviousMask) {
  const std::array contexts = {Counts{0, 900}, Counts{100, 100}};
  const std::array priors = {prior_around(.1, 20), prior_around(.1, 20)};
  EXPECT_GT(log_context_e_value(contexts, priors, {0, 1}), 100);
}

TEST(ContextEValue, SaysNothingWithoutData) {
  const std::array contexts = {Counts{}, Counts{}};
  const std::array priors = {prior_around(.1, 20), prior_around(.1, 20)};
  EXPECT_EQ(log_context_e_value(contexts, priors, {0, 1}), 0);
}

/// The squared deviation that reaches ln E = 20.72, of a prior w times as wide
/// as the likelihood: ln E = z^2 / 2 w / (1 + w) - ln(1 + w) / 2.
double squared_deviation_needed(double w) {
  return (2 * 20.72 + std::log1p(w)) * (1 + w) / w;
}

TEST(ContextKappa, IsTheOneThatDetectsSoonest) {
  constexpr double kPlanned = 1e6;
  const double w = kPlanned / context_kappa(kPlanned);
  const double least = squared_deviation_needed(w);
  for (const double other : {w / 2, w / 1.1, w * 1.1, w * 2})
    EXPECT_LT(least, squared_deviation_needed(other));
}

}  // namespace
}  // namespace dropcheck::stats
