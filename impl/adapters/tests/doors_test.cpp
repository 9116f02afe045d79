// Doors: what stands behind a name, how it is opened, and what it promises.
#include "dropcheck/impl/adapters/doors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dropcheck/impl/adapters/adapter_trials.hpp"
#include "dropcheck/impl/adapters/promise.hpp"

namespace dropcheck::impl::adapters {
namespace {

using testing::HasSubstr;

std::string refusal(const std::string& name) {
  try {
    open_door(name, {});
  } catch (const std::exception& error) {
    return error.what();
  }
  return "opened";
}

TEST(Door, IsNamedByItsCommand) {
  const std::string name = std::string("cmd:") + FAKE_WORKER + " 'copy'";
  const auto entries = open_door(name, {});
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].name, name);
  EXPECT_EQ(entries[0].layer, "dropout");
  EXPECT_EQ(entries[0].summary, "copy");
  EXPECT_EQ(entries[0].open()->describe().name, "fake");
}

TEST(Door, ServesASubjectByName) {
  const std::string name = std::string("cmd:") + FAKE_WORKER + " copy#fake";
  EXPECT_EQ(open_door(name, {}).front().name, name);
  EXPECT_THAT(refusal(std::string("cmd:") + FAKE_WORKER + " copy#other"),
              HasSubstr("no subject 'other'"));
}

TEST(Door, ReadsACommandAsAShellDoes) {
  EXPECT_TRUE(is_door("cmd:x"));
  EXPECT_FALSE(is_door("torch:cmd:x"));
  EXPECT_THAT(refusal("cmd:"), HasSubstr("the command is empty"));
  EXPECT_THAT(refusal("cmd:'open"), HasSubstr("must match"));
  EXPECT_THAT(refusal("cmd:a; b"), HasSubstr("in quotes"));
  EXPECT_THAT(refusal("cmd:`a`"), HasSubstr("not expanded"));
  EXPECT_THAT(refusal("cmd:$NO_SUCH_VARIABLE_HERE"), HasSubstr("be set"));
}

TEST(Door, OfPythonNamesAModuleAndAnObject) {
  EXPECT_TRUE(is_door("py:my.module:dropout"));
  for (const char* name : {"py:", "py:module", "py::name", "py:module:"}) {
    EXPECT_THAT(refusal(name), HasSubstr("must be MODULE:NAME")) << name;
  }
}

TEST(Promise, SurvivesTheBorder) {
  Promise promise{"dropout2d", "of mine", 2, {}};
  promise.variants.resize(1);
  promise.variants[0].layer = "dropout2d";
  promise.variants[0].in_place = true;
  Message message;
  promise_to(promise, message);
  const Promise back = promise_from(decode(encode(message)));
  EXPECT_EQ(back.layer, promise.layer);
  EXPECT_EQ(back.summary, promise.summary);
  EXPECT_EQ(back.spatial_axes, promise.spatial_axes);
  EXPECT_EQ(back.variants, promise.variants);
}

TEST(Promise, RefusesWhatCannotBeKept) {
  const auto refusal = [](const char* field, const char* value) {
    try {
      promise_from({{{field, value}}, {}});
    } catch (const AdapterError& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  EXPECT_THAT(refusal("layer", "dropuot"), HasSubstr("'dropuot'"));
  EXPECT_THAT(refusal("spatial_axes", "-1"), HasSubstr("'-1'"));
  EXPECT_THAT(refusal("spatial_axes", "9"), HasSubstr("at most 8"));
  EXPECT_THAT(refusal("variants", "{}"), HasSubstr("no JSON array"));
  EXPECT_THAT(refusal("variants", "[NaN]"), HasSubstr("malformed"));
  EXPECT_THAT(refusal("variants", "[{\"x\": 1}]"), HasSubstr("'x'"));
}

TEST(AdapterTrials, FindWhatTheFakeWorkerDoesWrong) {
  WorkerOptions options;
  options.command = {FAKE_WORKER, "copy"};
  options.reuse = false;
  std::map<std::string, AdapterTrial::Outcome> outcomes;
  for (const AdapterTrial& trial : try_adapter(options)) {
    outcomes[trial.name] = trial.outcome;
  }
  using Outcome = AdapterTrial::Outcome;
  EXPECT_EQ(outcomes.at("describe"), Outcome::kPassed);
  EXPECT_EQ(outcomes.at("half a frame"), Outcome::kPassed);
  EXPECT_EQ(outcomes.at("repeat"), Outcome::kFailed);
  EXPECT_EQ(outcomes.at("reseed"), Outcome::kFailed);
  EXPECT_EQ(outcomes.at("unknown law"), Outcome::kFailed);
}

}  // namespace
}  // namespace dropcheck::impl::adapters
