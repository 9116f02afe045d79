// A suite of checks as tests of this program. What a suite says about wrong
// layers is seen from outside, in sample_test.py.
#include "dropcheck/gtest/suite.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "toy_layers.hpp"

namespace dropcheck::gtest {
namespace {

using ::testing::Contains;
using ::testing::Not;
using testing::ToyDropout;

DROPCHECK_CONFORMANCE_SUITE(ToyDropout, {.drop_probabilities = {0.5}});
DROPCHECK_CONFORMANCE_SUITE_OF(ToyByFunction,
                               [](double drop) { return ToyDropout(drop); },
                               {.drop_probabilities = {0.5},
                                .only = {"drop_rate"}});

std::vector<std::string> tests_of(const std::string& name) {
  const auto& unit = *::testing::UnitTest::GetInstance();
  std::vector<std::string> tests;
  for (int i = 0; i < unit.total_test_suite_count(); ++i) {
    const ::testing::TestSuite& suite = *unit.GetTestSuite(i);
    if (suite.name() != name) continue;
    for (int k = 0; k < suite.total_test_count(); ++k) {
      tests.emplace_back(suite.GetTestInfo(k)->name());
    }
  }
  return tests;
}

TEST(ConformanceSuite, HasATestForEveryCheckOfTheLaw) {
  const auto tests = tests_of("ToyDropout");
  const impl::Law& law = *impl::find_law("dropout");
  for (const auto& check : properties::checks()) {
    const std::string name(check.name);
    if (properties::not_applicable(check, law).empty()) {
      EXPECT_THAT(tests, Contains(name));
    } else {
      EXPECT_THAT(tests, Not(Contains(name)));
    }
  }
}

TEST(ConformanceSuite, HasNoTestThatTheContractLeavesOut) {
  EXPECT_THAT(tests_of("ToyByFunction"), ::testing::ElementsAre("drop_rate"));
}

TEST(ConformanceSuite, RunsAgainWithASeedOfItsOwn) {
  const Contract terms{.drop_probabilities = {0.5}, .only = {"eval_identity"}};
  ConformanceSuite suite(
      "None", named_entry(impl::factory_of<ToyDropout>(), terms, "gtest:None"),
      terms);
  const Outcome first = suite.outcome("eval_identity");
  const Outcome second = suite.outcome("eval_identity");
  EXPECT_EQ(first.result.findings.size(), 1U);
  EXPECT_EQ(second.result.findings.size(), 1U);
  EXPECT_NE(first.result.seed, second.result.seed);
}

}  // namespace
}  // namespace dropcheck::gtest
