// What a plan promises before any data.
#include "dropcheck/properties/plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <stdexcept>
#include <thread>

#include "detection.hpp"
#include "dropcheck/stats/binomial_tail.hpp"
#include "dropcheck/stats/rate_claim.hpp"
#include "odd_subjects.hpp"
#include "support.hpp"

namespace dropcheck::properties {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;

Settings settings_for(Profile profile, double p) {
  Settings settings = testing::smoke(1, p);
  settings.profile = profile;
  return settings;
}

TEST(Plan, NamesWhatEachCheckDetects) {
  const Plan plan =
      make_plan(impl::builtin_subjects(), settings_for(Profile::kSmoke, 0.1));
  for (const PlannedConfiguration& planned : plan.configurations) {
    for (const PlannedCheck& check : planned.checks) {
      EXPECT_FALSE(check.detectable.empty()) << check.id;
      // A noun phrase; its probability stands beside it.
      EXPECT_THAT(check.detectable,
                  Not(AnyOf(HasSubstr("probability"), HasSubstr("refuted"))))
          << check.id;
      // Where no alarm is by chance, something rare may still be missed.
      EXPECT_LE(check.miss_probability, 1e-9) << check.id;
      if (check.weight > 0) {
        EXPECT_EQ(check.miss_probability, 1e-9) << check.id;
      }
      EXPECT_LE(check.expected_n, check.worst_n) << check.id;
    }
  }
}

// What may never happen at the ends is looked for where only they are asked
// for.
TEST(Plan, HoldsRareEventsAtBothEnds) {
  for (const double p : {0.0, 1.0}) {
    const Plan plan = make_plan({testing::subject("builtin:dropout")},
                                settings_for(Profile::kSmoke, p));
    const auto& checks = plan.configurations.front().checks;
    const auto found = std::find_if(
        checks.begin(), checks.end(),
        [](const PlannedCheck& one) { return one.check == "rare_events"; });
    ASSERT_NE(found, checks.end()) << p;
    EXPECT_GT(found->reduced_n, 0U);
  }
}

TEST(Plan, RefusesDropProbabilitiesThatAreTooRare) {
  for (const double p : {1e-300, 0x1p-31, 1 - 0x1p-31}) {
    try {
      make_plan({testing::subject("builtin:dropout")},
                settings_for(Profile::kSmoke, p));
      ADD_FAILURE() << p;
    } catch (const std::domain_error& error) {
      EXPECT_THAT(error.what(), HasSubstr("p is "));
      EXPECT_THAT(error.what(), HasSubstr("2^-30"));
    }
  }
}

/// Exact chance that the counts at the last look alone do not refute.
double log_miss_probability(const stats::RateClaim& claim, std::uint64_t n,
                            double p) {
  const stats::Boundaries at = stats::boundaries(claim, n);
  const bool above = p > claim.p0;
  return above ? stats::log_lower_tail(
                     static_cast<std::uint64_t>(at.refute_at_least) - 1, n, p)
               : stats::log_upper_tail(
                     static_cast<std::uint64_t>(at.refute_at_most) + 1, n, p);
}

class DetectableRate
    : public ::testing::TestWithParam<std::tuple<Profile, double>> {};

TEST_P(DetectableRate, IsMissedAtMostOnceInABillion) {
  const auto [profile, p] = GetParam();
  const Plan plan = make_plan({testing::subject("builtin:dropout")},
                              settings_for(profile, p));
  const PlannedConfiguration& planned = plan.configurations.front();
  for (const PlannedCheck& check : planned.checks) {
    if (check.check != "drop_rate") continue;
    const stats::RateClaim claim{
        p,
        planned.delta,
        {p - std::ldexp(1, -24), p + std::ldexp(1, -24)},
        1e-9,
        check.weight};
    for (const double side : {-1.0, 1.0}) {
      EXPECT_LE(log_miss_probability(claim, planned.rate_n_max,
                                     p + side * check.detectable_effect),
                std::log(1e-9))
          << check.detectable << " on side " << side;
    }
    return;
  }
  FAIL() << "no drop_rate in the plan";
}

INSTANTIATE_TEST_SUITE_P(
    Plan, DetectableRate,
    ::testing::Combine(::testing::Values(Profile::kSmoke, Profile::kPr,
                                         Profile::kNightly),
                       ::testing::Values(0.01, 0.05, 0.1, 0.3, 0.5, 0.9)));

TEST(Plan, KeepsTheToleranceThatIsAskedFor) {
  Settings settings = settings_for(Profile::kSmoke, 0.1);
  settings.delta = 1e-6;
  const Plan plan = make_plan({testing::subject("builtin:dropout")}, settings);
  const PlannedConfiguration& planned = plan.configurations.front();
  EXPECT_EQ(planned.delta, 1e-6);
  EXPECT_GE(static_cast<double>(planned.rate_n_max), 179 * 0.09 / 1e-12);
  EXPECT_GT(planned.expected_seconds, 60);
}

TEST(Plan, ExplainsATolerancePastAFifth) {
  Settings settings = settings_for(Profile::kSmoke, 0.1);
  settings.delta = 0.05;
  try {
    make_plan({testing::subject("builtin:dropout")}, settings);
    FAIL() << "accepted";
  } catch (const std::domain_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("delta is 0.05"));
    EXPECT_THAT(error.what(), HasSubstr("at most 0.02"));
  }
}

TEST(Plan, RefusesMoreDecisionsThanCanBeCounted) {
  Settings settings = settings_for(Profile::kSmoke, 0.1);
  settings.delta = 1e-12;
  EXPECT_THROW(make_plan({testing::subject("builtin:dropout")}, settings),
               std::domain_error);
}

TEST(Plan, CountsTheTimeOfOwnDraws) {
  const Plan plan = make_plan({testing::subject("builtin:dropout")},
                              settings_for(Profile::kSmoke, 0.1));
  double own = 0;
  for (const PlannedCheck& check : plan.configurations.front().checks) {
    EXPECT_FALSE(check.shares_masks && check.elements > 0) << check.id;
    own += check.elements;
  }
  const PlannedConfiguration& planned = plan.configurations.front();
  EXPECT_GT(planned.seconds_per_element, 0);
  EXPECT_GT(planned.seconds_per_shared_call, 0);
  EXPECT_GE(planned.expected_seconds, own * planned.seconds_per_element);
}

// Calls of few elements cost most where each takes long by itself.
TEST(Plan, CountsTheTimeOfSmallCalls) {
  testing::Oddity slow;
  slow.forward = [](const impl::Call&, impl::TensorView result, impl::Tensor&) {
    std::this_thread::sleep_for(std::chrono::milliseconds(4));
    return result;
  };
  const Plan plan = make_plan({testing::odd_subject("odd:slow", slow)},
                              settings_for(Profile::kSmoke, 0.1));
  const PlannedConfiguration& planned = plan.configurations.front();
  const auto checks = static_cast<double>(planned.checks.size());
  EXPECT_GE(planned.expected_seconds, checks * 150 * 0.004);
  EXPECT_GE(planned.worst_seconds, planned.expected_seconds);
}

// For small correlations ln E is about n r^2 / 2, which detectable_z supposes;
// among few pairs at a small rate it is far less.
TEST(DetectableCorrelation, IsTheUsualOneWhereItIsSmallAndLargerWhereNot) {
  constexpr double kThreshold = 30;
  const auto usual = [](double pairs) {
    return detectable_z(kThreshold, 0) / std::sqrt(pairs);
  };
  for (const double p : {.1, .5, .9}) {
    const double small = detectable_correlation(p, 1e7, kThreshold);
    EXPECT_GT(small, usual(1e7)) << p;
    EXPECT_LT(small, 1.25 * usual(1e7)) << p;
  }
  EXPECT_GT(detectable_correlation(.1, 1024, kThreshold), 1.4 * usual(1024));
  EXPECT_EQ(detectable_correlation(.1, 10, kThreshold), 1);
}

}  // namespace
}  // namespace dropcheck::properties
