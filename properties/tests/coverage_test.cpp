// No pair of layer and check is silently missing: in every configuration each
// check is asked, or left out for a reason, or has no meaning for the law, and
// what the table calls decided is asked somewhere.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "dropcheck/generators/rapidcheck_source.hpp"
#include "dropcheck/properties/check_catalogue.hpp"
#include "support.hpp"

namespace dropcheck::properties {
namespace {

using testing::smoke;

std::vector<impl::SubjectEntry> every_layer() {
  std::vector<impl::SubjectEntry> all = impl::builtin_subjects();
  for (const impl::SubjectEntry& network : impl::builtin_networks()) {
    all.push_back(network);
  }
  return all;
}

class EveryLayerAndCheck : public ::testing::TestWithParam<impl::SubjectEntry> {
 protected:
  static Plan plan_at(Profile profile) {
    Settings settings = smoke(11);
    settings.profile = profile;
    settings.drop_probabilities = {.1, .3, .5};
    settings.generated = 6;
    return make_plan({GetParam()}, settings, &source());
  }
  static const ConfigSource& source() {
    static const generators::RapidCheckSource kSource;
    return kSource;
  }
};

bool asks(const PlannedConfiguration& planned, std::string_view check) {
  return std::any_of(
      planned.checks.begin(), planned.checks.end(),
      [&](const PlannedCheck& one) { return one.check == check; });
}

/// Why a check is left out; empty where no reason stands there.
std::string reason_in(const PlannedConfiguration& planned,
                      std::string_view check) {
  for (const LeftOut& one : planned.left_out) {
    if (one.check == check) return one.reason;
  }
  return {};
}

TEST_P(EveryLayerAndCheck, IsAskedOrLeftOutForAReasonInEveryConfiguration) {
  const Plan plan = plan_at(Profile::kSmoke);
  std::size_t generated = 0;
  for (const PlannedConfiguration& planned : plan.configurations) {
    generated += planned.generated ? 1 : 0;
    for (const CheckInfo& check : checks()) {
      const bool asked = asks(planned, check.name);
      const bool reasoned = !reason_in(planned, check.name).empty();
      const bool meaningless = !not_applicable(check, *planned.law).empty();
      EXPECT_EQ(int{asked} + int{reasoned} + int{meaningless}, 1)
          << check.name << " in " << planned.configuration << ": "
          << reason_in(planned, check.name);
    }
  }
  EXPECT_GT(generated, 0U);
}

TEST_P(EveryLayerAndCheck, IsAskedSomewhereWhereTheTableSaysDecided) {
  const Plan plan = plan_at(Profile::kPr);
  for (const CheckInfo& check : checks()) {
    const impl::Law& law = *plan.subjects.front().law;
    const bool decided = not_applicable(check, law).empty();
    const bool asked =
        std::any_of(plan.configurations.begin(), plan.configurations.end(),
                    [&](const PlannedConfiguration& planned) {
                      return asks(planned, check.name);
                    });
    EXPECT_EQ(asked, decided)
        << law.layer << "." << check.name << ": "
        << reason_in(plan.configurations.front(), check.name);
  }
}

INSTANTIATE_TEST_SUITE_P(Builtin, EveryLayerAndCheck,
                         ::testing::ValuesIn(every_layer()),
                         [](const auto& one) { return one.param.layer; });

}  // namespace
}  // namespace dropcheck::properties
