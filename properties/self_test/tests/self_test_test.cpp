// The trial itself on trial: it must fail where the oracle would.
#include "dropcheck/self_test/self_test.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <cmath>

namespace dropcheck::self_test {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

SelfTestResult run_only(std::vector<std::string> only) {
  Settings settings;
  settings.seed = 7;
  settings.threads = 2;
  settings.only = std::move(only);
  return run(settings);
}

TEST(SelfTest, RefutesAWrongLayerByTheCheckThatItNames) {
  const SelfTestResult result = run_only({"kill.faulty:threshold_4bit"});
  EXPECT_THAT(result.failures, IsEmpty());
  ASSERT_EQ(result.kills.size(), 1u);
  const Kill& kill = result.kills.front();
  EXPECT_TRUE(kill.killed);
  EXPECT_EQ(kill.caught_by, "drop_rate");
  EXPECT_EQ(kill.verdict, properties::Verdict::kRefuted);
  EXPECT_THAT(kill.sentence, HasSubstr("drop rate is"));
  EXPECT_THAT(kill.looked, Contains("independence_within"));
  EXPECT_GT(kill.n, 0u);
  EXPECT_EQ(result.false_alarms.runs, 0u);
}

TEST(SelfTest, FindsNothingWrongWithARightLayer) {
  Settings settings;
  settings.seed = 7;
  settings.only = {"false_alarms.builtin:dropout1d"};
  settings.runs = 60;
  const SelfTestResult result = run(settings);
  EXPECT_THAT(result.failures, IsEmpty());
  EXPECT_EQ(result.false_alarms.runs, 60u);
  EXPECT_EQ(result.false_alarms.subjects, 1u);
  EXPECT_EQ(result.false_alarms.alarms, 0u);
  EXPECT_NEAR(result.false_alarms.alarm_limit, 1 - std::pow(.05, 1. / 60),
              1e-9);
}

TEST(SelfTest, ComputesWhatStatisticsPromise) {
  const SelfTestResult result = run_only({"statistics.*"});
  EXPECT_THAT(result.failures, IsEmpty());
  EXPECT_GE(result.exactness.size(), 30u);
  for (const Exactness& row : result.exactness) {
    EXPECT_TRUE(row.right) << row.name;
    EXPECT_GT(row.highest, 0) << row.name;
  }
}

TEST(SelfTest, IsTheSameForTheSameSeed) {
  const std::vector<std::string> only{"kill.faulty:lanes_of_*"};
  const SelfTestResult a = run_only(only);
  const SelfTestResult b = run_only(only);
  ASSERT_EQ(a.kills.size(), b.kills.size());
  for (std::size_t i = 0; i < a.kills.size(); ++i) {
    EXPECT_EQ(a.kills[i].sentence, b.kills[i].sentence);
    EXPECT_EQ(a.kills[i].also, b.kills[i].also);
  }
}

TEST(SelfTest, FailsWhereItWasInterrupted) {
  const std::atomic<bool> interrupt{true};
  Settings settings;
  settings.only = {"kill.faulty:drops_nothing"};
  const SelfTestResult result = run(settings, {{}, &interrupt});
  EXPECT_TRUE(result.interrupted);
  EXPECT_THAT(result.failures, Contains(HasSubstr("interrupted")));
  EXPECT_THAT(result.failures,
              Contains(HasSubstr("faulty:drops_nothing must be refuted")));
}

TEST(SelfTest, FailsWhereTimeRunsOut) {
  Settings settings;
  settings.only = {"kill.faulty:drop*"};
  settings.time_limit_seconds = 1e-9;
  const SelfTestResult result = run(settings);
  EXPECT_TRUE(result.out_of_time);
  EXPECT_THAT(result.failures, Contains(HasSubstr("time limit")));
}

}  // namespace
}  // namespace dropcheck::self_test
