// Values by 40-digit arithmetic; validity by enumeration of all masks of twelve
// units, the context being the bit before.
#include "dropcheck/stats/correlation.hpp"

#include <stdexcept>

#include "masks.hpp"
#include "near.hpp"

namespace dropcheck::stats {
namespace {

constexpr double kA = 20.7232658369;
constexpr Interval kAnyRate{0, 1};

struct Vector {
  CorrelationPlan plan;
  BinaryContexts contexts;
  double one_parameter;
  double value;
};

TEST(CorrelationTest, ReproducesItsValues) {
  const Vector vectors[] = {{{.1, 1e6},
                             {{90'000, 900'000}, {10'000, 100'000}},
                             -1.9665154369173752,
                             -2.5160197539519756},
                            {{.1, 1e6},
                             {{89'100, 900'000}, {10'900, 100'000}},
                             45.859802191450407,
                             45.306828187396143},
                            {{.5, 500},
                             {{410, 1'000}, {480, 1'000}},
                             -10.027984552384696,
                             -1.0998561585624773}};
  for (const auto& [plan, contexts, one_parameter, value] : vectors) {
    const CorrelationTest test(plan);
    EXPECT_TRUE(agrees(test.log_one_parameter_e_value(contexts, kAnyRate),
                       one_parameter, 1e-10));
    EXPECT_TRUE(agrees(test.log_e_value(contexts, kAnyRate), value, 1e-10));
  }
}

BinaryContexts previous_bit(std::uint32_t mask, int bits) {
  BinaryContexts contexts;
  for (int i = 1; i < bits; ++i) {
    const bool after_drop = (mask >> (i - 1)) & 1U;
    (after_drop ? contexts.after_drop : contexts.after_keep) +=
        {(mask >> i) & 1U, 1};
  }
  return contexts;
}

double mean_of_e(const CorrelationTest& test, double p, Interval null_rates) {
  return mean_over_masks(12, p, [&](std::uint32_t mask) {
    return test.log_e_value(previous_bit(mask, 12), null_rates);
  });
}

TEST(CorrelationTest, HasMeanOneAgainstOneKnownRate) {
  for (const double p : {.05, .3, .5, .9})
    for (const double planned : {3., 30., 3e4})
      EXPECT_NEAR(mean_of_e(CorrelationTest({p, planned}), p, {p, p}), 1,
                  1e-12);
}

TEST(CorrelationTest, HasMeanAtMostOneAgainstEveryRateOfTheNull) {
  const CorrelationTest test({.3, 30});
  for (const double p : {.05, .2, .3, .5, .95}) {
    EXPECT_LE(mean_of_e(test, p, kAnyRate), 1);
    EXPECT_LE(mean_of_e(test, p, {p - .04, p + .02}), 1);
  }
}

// Rates after a keep and a drop that have correlation rho, as expected counts.
BinaryContexts typical(double p, double rho, double n) {
  const auto counts = [](double rate, double number) {
    return Counts{static_cast<std::uint64_t>(std::llround(rate * number)),
                  static_cast<std::uint64_t>(std::llround(number))};
  };
  return {counts(p - rho * p, n * (1 - p)), counts(p + rho * (1 - p), n * p)};
}

TEST(CorrelationTest, RefutesEitherSignAtTheInformationLimit) {
  for (const double p : {.1, .5, .9})
    for (const double rho : {.01, -.01}) {
      const CorrelationTest test({p, 45.2e4});
      EXPECT_GT(test.log_e_value(typical(p, rho, 49e4), kAnyRate), kA);
      EXPECT_LT(test.log_e_value(typical(p, rho, 40e4), kAnyRate), kA);
    }
}

TEST(CorrelationTest, RefutesACopyAndAComplement) {
  const CorrelationTest test({.5, 1e6});
  EXPECT_GT(test.log_e_value({{0, 500}, {500, 500}}, kAnyRate), 100);
  EXPECT_GT(test.log_e_value({{500, 500}, {0, 500}}, kAnyRate), 100);
}

// Three drops never follow one another, and the rate falls: no correlation at
// the specified rate looks like that, two free contexts do.
TEST(CorrelationTest, SeesADependenceThatAlsoMovesTheRate) {
  const CorrelationTest test({.5, 1e4});
  const BinaryContexts contexts{{3'700, 10'000}, {3'000, 10'000}};
  EXPECT_LT(test.log_one_parameter_e_value(contexts, kAnyRate), 0);
  EXPECT_GT(test.log_e_value(contexts, kAnyRate), kA);
}

TEST(CorrelationTest, IsBlindToAQuantisedRate) {
  const BinaryContexts contexts{{456'314, 4'492'188}, {51'559, 507'812}};
  EXPECT_LT(CorrelationTest({.1, 5e6}).log_e_value(contexts, kAnyRate), 0);
}

TEST(CorrelationTest, SaysNothingWithoutData) {
  EXPECT_EQ(CorrelationTest({.1, 100}).log_e_value({}, kAnyRate), 0);
}

TEST(CorrelationTest, RejectsWhatIsOutOfRange) {
  EXPECT_THROW(CorrelationTest({0, 100}), std::domain_error);
  EXPECT_THROW(CorrelationTest({.1, 0}), std::domain_error);
  EXPECT_THROW(CorrelationTest({.1, 100, -1}), std::domain_error);
  const CorrelationTest test({.1, 100});
  EXPECT_THROW(test.log_e_value({{3, 2}, {0, 1}}, kAnyRate), std::domain_error);
  EXPECT_THROW(test.log_e_value({}, {.2, .1}), std::domain_error);
}

}  // namespace
}  // namespace dropcheck::stats
