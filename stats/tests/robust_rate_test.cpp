// Validity by enumeration of calls under laws that are not binomial; planning
// against the exact law of independent units, spread without chance.
#include "dropcheck/stats/robust_rate.hpp"

#include <array>
#include <cmath>
#include <stdexcept>

#include "dropcheck/stats/binomial_tail.hpp"
#include "near.hpp"

namespace dropcheck::stats {
namespace {

constexpr double kA = 20.7232658369;

RateClaim claim(double p0, double delta) {
  return {p0, delta, {p0 - 1e-7, p0 + 1e-7}};
}

// Sums probability times e-value over all sequences of six calls, each of the
// fractions 0, 1/2, 1 with the given probabilities.
template <typename LogE>
double mean_over_calls(std::array<double, 3> law, const RobustRate& empty,
                       const LogE& log_e) {
  double mean = 0;
  for (int word = 0; word < 729; ++word) {
    RobustRate calls = empty;
    double probability = 1;
    for (int call = 0, rest = word; call < 6; ++call, rest /= 3) {
      const auto drops = static_cast<std::size_t>(rest % 3);
      probability *= law[drops];
      calls.add({drops, 2});
    }
    mean += probability * std::exp(log_e(calls));
  }
  return mean;
}

TEST(RobustRate, HasMeanOneUnderEveryLawOfTheMean) {
  const auto log_e = [](const RobustRate& calls) {
    return calls.log_e_value();
  };
  const RobustRate empty({.3, .06, {.3, .3}}, 2);
  // Independent units, calls that live or die as a whole, one law between.
  for (const std::array<double, 3> law :
       {std::array{.49, .42, .09}, {.7, 0., .3}, {.45, .5, .05}})
    EXPECT_NEAR(mean_over_calls(law, empty, log_e), 1, 1e-12);
}

TEST(RobustRate, HasMeanAtMostOneAgainstEveryDeclaredMean) {
  const auto log_e = [](const RobustRate& calls) {
    return calls.log_e_value();
  };
  const RobustRate empty({.3, .06, {.25, .35}}, 2);
  for (const double mean : {.25, .28, .35})
    EXPECT_LE(mean_over_calls({1 - mean, 0, mean}, empty, log_e), 1 + 1e-12);
}

// Calls of `units` independent units, `calls` of them, each number of drops as
// often as expected: no sample, but what a typical one looks like.
RobustRate typical(const RateClaim& planned, double p, std::uint64_t units,
                   double calls) {
  RobustRate rate(planned, static_cast<double>(units));
  double before = 0;
  for (std::uint64_t k = 0; k < units; ++k) {
    const double upto =
        std::round(calls * std::exp(log_lower_tail(k, units, p)));
    rate.add({k, units}, static_cast<std::uint64_t>(upto - before));
    before = upto;
  }
  return rate;
}

TEST(RobustRate, CertifiesAndRefutesAboutWhenPlanned) {
  for (const double p : {.1, .5, .9}) {
    const RateClaim planned = claim(p, 1e-2);
    const double certify = robust_certification_calls(planned, 256);
    const double detect = robust_detection_calls(planned, 256);
    EXPECT_EQ(typical(planned, p, 256, 1.05 * certify).decide(),
              RateOutcome::kCertified);
    EXPECT_EQ(typical(planned, p, 256, .6 * certify).decide(),
              RateOutcome::kUndecided);
    for (const double sign : {-1., 1.}) {
      const double off = p + sign * 1e-2;
      EXPECT_EQ(typical(planned, off, 256, 1.15 * detect).decide(),
                RateOutcome::kRefuted);
    }
  }
}

TEST(RobustRate, NeedsAsManyElementsAsIndependentUnitsWould) {
  const RateClaim planned = claim(.1, 5e-4);
  EXPECT_NEAR(robust_certification_calls(planned, 256), 7.6e4, 2e3);
  EXPECT_NEAR(robust_detection_calls(planned, 256), 6.7e4, 1e3);
}

// Bets are capped, so that few large calls do not decide.
TEST(RobustRate, NeedsManyCallsHoweverLarge) {
  const RateClaim planned = claim(.1, 5e-4);
  EXPECT_GT(robust_certification_calls(planned, 1e6), kA * .1 / 5e-4);
}

// Whole calls live or die: 256 times as many are needed, and they suffice.
TEST(RobustRate, CertifiesCallsOfOneDecision) {
  const RateClaim planned = claim(.3, .05);
  RobustRate rate(planned, 256);
  rate.add({256, 256}, 3'000);
  rate.add({0, 256}, 7'000);
  EXPECT_EQ(rate.decide(), RateOutcome::kCertified);
  RobustRate few(planned, 256);
  few.add({256, 256}, 300);
  few.add({0, 256}, 700);
  EXPECT_EQ(few.decide(), RateOutcome::kUndecided);
}

TEST(RobustRate, EnclosesTheMeanInASequenceThatInvertsIt) {
  const RobustRate rate = typical(claim(.1, 1e-2), .1, 256, 5'000);
  const auto [lower, upper] = rate.confidence_sequence(kA);
  EXPECT_LT(lower, .1);
  EXPECT_GT(upper, .1);
  EXPECT_LT(upper - lower, .01);
  for (const double end : {lower, upper}) {
    RateClaim at_end = claim(.1, 1e-2);
    at_end.declared = {end, end};
    const RobustRate excluded = typical(at_end, .1, 256, 5'000);
    EXPECT_GE(excluded.log_e_value(), kA);
    EXPECT_NEAR(excluded.log_e_value(), kA, 1e-3);
  }
}

TEST(RobustRate, RefutesADropWhereNoneIsDeclared) {
  RobustRate rate({.1, .02, {0, 0}}, 256);
  rate.add({0, 256}, 10);
  EXPECT_LE(rate.log_e_value(), 0);
  rate.add({1, 256});
  EXPECT_EQ(rate.decide(), RateOutcome::kRefuted);
}

TEST(RobustRate, DoesNotDependOnTheOrderNorOnMerging) {
  const RateClaim planned = claim(.1, 1e-2);
  RobustRate forward(planned, 64);
  RobustRate first(planned, 64);
  RobustRate last(planned, 64);
  for (std::uint64_t k = 0; k < 20; ++k) {
    forward.add({k, 64});
    (k < 8 ? last : first).add({k, 64});
  }
  first.merge(last);
  EXPECT_EQ(forward.log_e_value(), first.log_e_value());
  EXPECT_EQ(first.calls(), 20);
}

TEST(RobustRate, KnowsNothingBeforeTheFirstCall) {
  const RobustRate rate(claim(.1, 1e-2), 64);
  EXPECT_EQ(rate.decide(), RateOutcome::kUndecided);
  EXPECT_EQ(rate.confidence_sequence(kA).lower, 0);
  EXPECT_EQ(rate.confidence_sequence(kA).upper, 1);
}

TEST(RobustRate, RejectsWhatIsOutOfRange) {
  const RateClaim good = claim(.1, 1e-2);
  EXPECT_THROW(RobustRate(claim(.1, .05), 64), std::domain_error);
  EXPECT_THROW(RobustRate(good, 0), std::domain_error);
  RobustRate rate(good, 64);
  EXPECT_THROW(rate.add({0, 0}), std::domain_error);
  EXPECT_THROW(rate.add({3, 2}), std::domain_error);
  EXPECT_THROW(rate.merge(RobustRate(good, 32)), std::domain_error);
  EXPECT_THROW(rate.merge(RobustRate(claim(.1, .02), 64)), std::domain_error);
  EXPECT_THROW(rate.confidence_sequence(0), std::domain_error);
  EXPECT_THROW(robust_detection_calls(good, .5), std::domain_error);
}

}  // namespace
}  // namespace dropcheck::stats
