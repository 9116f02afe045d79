// long_stream, independence_seeds and seeding: what they plan, and the words in
// which they name a cause. That right layers pass, and that every wrong one is
// refuted, stands in oracle_test.cpp.
//
// Wrong layers here are refuted with a margin of many nats (a repetition is
// certain, rates differ by more than 20 standard deviations).
#include <gmock/gmock.h>

#include <algorithm>

#include "drift_counter.hpp"
#include "long_stream_plan.hpp"
#include "odd_subjects.hpp"
#include "seed_plan.hpp"
#include "support.hpp"

namespace dropcheck::properties {
namespace {

using ::testing::HasSubstr;
using testing::odd_subject;
using testing::Oddity;
using testing::run;
using testing::smoke;
using testing::subject;

Plan plan_for(const std::string& name, const std::string& check,
              Profile profile) {
  Settings settings = smoke(1);
  settings.profile = profile;
  settings.only = {check};
  return make_plan({subject(name)}, settings);
}

TEST(LongStreamPlan, ReachesWhatTheProfilesPromise) {
  for (const char* name : {"builtin:dropout", "builtin:dropout2d",
                           "builtin:drop_path", "builtin:token_dropout"}) {
    const Plan plan = plan_for(name, "long_stream", Profile::kPr);
    const PlannedConfiguration& planned = plan.configurations.front();
    const auto decisions = [&](Profile profile) {
      return make_long_stream_plan(planned, profile, 30, 0).decisions();
    };
    EXPECT_GE(decisions(Profile::kSmoke), std::int64_t{1} << 20) << name;
    EXPECT_GE(decisions(Profile::kPr), std::int64_t{1} << 28) << name;
    EXPECT_GE(decisions(Profile::kNightly), std::int64_t{1} << 33) << name;
    // A call counter of 16 bits wraps within the short calls.
    EXPECT_GT(make_long_stream_plan(planned, Profile::kPr, 30, 0).masks, 65536);
  }
}

TEST(LongStreamPlan, IsShorterForASlowLayerAndSaysSo) {
  Plan plan = plan_for("builtin:dropout", "long_stream", Profile::kPr);
  PlannedConfiguration& planned = plan.configurations.front();
  planned.seconds_per_call = 1e-9 * 241 * 271;
  EXPECT_EQ(affordable_decisions(planned, Profile::kPr), 0u);
  planned.seconds_per_call = 1e-6 * 241 * 271;
  const std::uint64_t fewer = affordable_decisions(planned, Profile::kPr);
  EXPECT_GT(fewer, 0u);
  EXPECT_LE(1e-6 * static_cast<double>(fewer), 15.0);
  EXPECT_LT(make_long_stream_plan(planned, Profile::kPr, 30, fewer).decisions(),
            static_cast<std::int64_t>(2 * fewer));
}

// The token carries the length that the speed of the day allowed.
TEST(LongStream, IsReplayedAtItsLength) {
  Settings settings = smoke(3);
  settings.only = {"long_stream"};
  Plan plan = make_plan({subject("builtin:dropout")}, settings);
  for (PlannedConfiguration& planned : plan.configurations) {
    for (PlannedCheck& check : planned.checks) check.reduced_n = 1 << 18;
  }
  const RunResult first = verify(plan);
  ASSERT_EQ(first.findings.size(), 1u);
  EXPECT_THAT(first.findings[0].bound, HasSubstr("reaches"));
  const ReplayToken token = decode_token(first.findings[0].replay);
  EXPECT_EQ(token.reduced_n, 1u << 18);
  const RunResult again =
      verify(replay_plan(token, subject("builtin:dropout")));
  ASSERT_EQ(again.findings.size(), 1u);
  EXPECT_EQ(again.findings[0].n, first.findings[0].n);
  EXPECT_EQ(again.findings[0].log10_e, first.findings[0].log10_e);
}

TEST(SeedPlan, SeesSixMillionMasksAtPr) {
  const Plan plan =
      plan_for("builtin:dropout", "independence_seeds", Profile::kPr);
  const PlannedConfiguration& planned = plan.configurations.front();
  const SeedPlan seeds = make_seed_plan(planned, Profile::kPr, 30);
  EXPECT_EQ(seeds.fresh, 16384);
  EXPECT_GE(seeds.mask_bits(), 512);
  EXPECT_EQ(seeds.row_flips.size(), 64u);
  EXPECT_EQ(seeds.large_calls, 0);
  EXPECT_GT(make_seed_plan(planned, Profile::kNightly, 30).large_calls, 0);
}

TEST(DriftCounter, NamesThePartThatStandsOut) {
  DriftCounter drift(1600, 1000);
  for (int call = 0; call < 1600; ++call) drift.add(call < 1500 ? 100 : 150);
  EXPECT_GT(drift.log_e_value(0.1), 100);
  EXPECT_EQ(drift.standout(0.1).calls, "part 16 of 16 in time");
  DriftCounter parity(1600, 1000);
  for (int call = 0; call < 1600; ++call) parity.add(call % 2 == 0 ? 90 : 110);
  EXPECT_GT(parity.log_e_value(0.1), 100);
  EXPECT_THAT(parity.standout(0.1).calls, HasSubstr("has bit 0"));
  DriftCounter steady(1600, 1000);
  for (int call = 0; call < 1600; ++call) steady.add(100);
  EXPECT_LT(steady.log_e_value(0.1), 0);
  EXPECT_THROW(DriftCounter(0, 5), std::invalid_argument);
}

struct Cause {
  std::string name;
  std::string check;
  std::string words;
};

void PrintTo(const Cause& cause, std::ostream* out) { *out << cause.name; }

class StreamFault : public ::testing::TestWithParam<Cause> {};

TEST_P(StreamFault, IsNamedByItsCause) {
  Settings settings = smoke(2);
  settings.only = {GetParam().check};
  const RunResult result =
      run({subject("faulty:" + GetParam().name)}, settings);
  ASSERT_FALSE(result.findings.empty());
  EXPECT_EQ(result.findings[0].verdict, Verdict::kRefuted);
  EXPECT_THAT(result.findings[0].sentence, HasSubstr(GetParam().words));
}

INSTANTIATE_TEST_SUITE_P(
    Zoo, StreamFault,
    ::testing::Values(
        Cause{"copy_at_lag_97", "long_stream", "decisions 97 apart"},
        Cause{"distant_copy", "long_stream", "decisions 100003 apart"},
        Cause{"counter_wraps_at_2_16", "long_stream",
              "a counter of decisions wraps at 2^16"},
        Cause{"threads_overlap", "long_stream", "4464 later"},
        Cause{"masks_cycle_after_1000", "long_stream",
              "call 1000 has the mask of call 0"},
        Cause{"rate_drifts", "long_stream", "the drop rate drifts"},
        Cause{"seed_of_12_bits", "independence_seeds", "or 12 bits of a seed"},
        Cause{"seed_parity_changes_rate", "independence_seeds", "bit 0 set"},
        Cause{"seed_shifts_the_stream", "independence_seeds",
              "streams overlap"},
        Cause{"calls_added_to_seed", "independence_seeds",
              "in the next call under seed s"},
        Cause{"seeds_share_words", "independence_seeds", "977 apart"},
        Cause{"antithetic_seeds", "independence_seeds", "seeds"},
        Cause{"sizes_share_stream", "independence_seeds",
              "calls of different sizes share their stream"},
        Cause{"powers_of_two_drop_less", "independence_seeds",
              "2^k units drop at"},
        Cause{"seed_high_half_ignored", "seeding",
              "bits 32 to 63 of a seed make no difference"}),
    [](const auto& one) { return one.param.name; });

TEST(StreamChecks, RunOnceASubject) {
  Settings settings = smoke(1);
  settings.drop_probabilities = {0.1, 0.3};
  settings.dtypes = {};
  settings.only = {"long_stream", "independence_seeds"};
  const Plan plan = make_plan({subject("builtin:dropout")}, settings);
  ASSERT_EQ(plan.configurations.size(), 1u);
  const auto& checks = plan.configurations[0].checks;
  EXPECT_EQ(std::count_if(checks.begin(), checks.end(),
                          [](const PlannedCheck& c) { return !c.hidden; }),
            2);
}

// A seed's ignored half belongs to `seeding`: it does not refute here too.
TEST(StreamChecks, LeaveIgnoredSeedBitsToSeeding) {
  Settings settings = smoke(4);
  settings.only = {"independence_seeds"};
  const RunResult result =
      run({subject("faulty:seed_high_half_ignored")}, settings);
  EXPECT_EQ(worst(result), Verdict::kCertified)
      << result.findings.front().sentence;
}

TEST(StreamChecks, SayNothingOfSeedsThatCannotBeSet) {
  Oddity odd;
  odd.describe = [](impl::Description& d) { d.reseed = false; };
  odd.reseed = [] { throw impl::NotSupported("cannot be reseeded"); };
  Settings settings = smoke(4);
  settings.only = {"independence_seeds"};
  const RunResult result = run({odd_subject("odd:no_reseed", odd)}, settings);
  ASSERT_EQ(result.findings.size(), 1u);
  EXPECT_EQ(result.findings[0].verdict, Verdict::kCertified);
  EXPECT_THAT(result.findings[0].sentence, HasSubstr("seeds cannot be set"));
  EXPECT_THAT(result.findings[0].bound, ::testing::Not(HasSubstr("bit")));
}

TEST(StreamChecks, StayOpenWhereDropsAreRare) {
  Settings settings = smoke(4, 1e-6);
  settings.only = {"long_stream", "independence_seeds"};
  const RunResult result = run({subject("builtin:dropout")}, settings);
  ASSERT_EQ(result.findings.size(), 2u);
  for (const Finding& finding : result.findings) {
    EXPECT_EQ(finding.verdict, Verdict::kInconclusive) << finding.check;
  }
}

}  // namespace
}  // namespace dropcheck::properties
