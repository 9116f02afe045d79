#include "dropcheck/gtest/options.hpp"

#include <gmock/gmock.h>

#include <map>
#include <stdexcept>

namespace dropcheck::gtest {
namespace {

using properties::Profile;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

Options read(const std::vector<std::string>& arguments,
             const std::map<std::string, std::string>& environment = {}) {
  return overridden({}, arguments, [&](const char* name) {
    const auto found = environment.find(name);
    return found == environment.end() ? nullptr : found->second.c_str();
  });
}

TEST(Options, LeaveDefaultsAlone) {
  const Options options = read({"./tests", "--gtest_filter=A.*"});
  EXPECT_EQ(options.profile, Profile::kSmoke);
  EXPECT_EQ(options.seed, std::nullopt);
  EXPECT_EQ(options.alpha, 1e-9);
  EXPECT_EQ(options.call_timeout_seconds, 60);
}

TEST(Options, ReadArgumentsBeforeTheEnvironment) {
  const Options options =
      read({"--dropcheck_seed=7", "--dropcheck_alpha=1e-12",
            "--dropcheck_threads=3", "--dropcheck_call_timeout=0.5"},
           {{"DROPCHECK_SEED", "8"}, {"DROPCHECK_PROFILE", "nightly"}});
  EXPECT_EQ(options.seed, 7U);
  EXPECT_EQ(options.profile, Profile::kNightly);
  EXPECT_EQ(options.alpha, 1e-12);
  EXPECT_EQ(options.threads, 3U);
  EXPECT_EQ(options.call_timeout_seconds, 0.5);
}

TEST(Options, TakeARandomSeedAndAnEmptyVariableForNone) {
  EXPECT_EQ(read({}, {{"DROPCHECK_SEED", "random"}}).seed, std::nullopt);
  EXPECT_EQ(read({}, {{"DROPCHECK_SEED", ""}}).seed, std::nullopt);
  EXPECT_EQ(read({"--dropcheck_seed=random"}, {{"DROPCHECK_SEED", "8"}}).seed,
            std::nullopt);
}

struct Bad {
  std::string argument;
  std::string name;
  std::string value;
};

class BadOption : public ::testing::TestWithParam<Bad> {};

TEST_P(BadOption, IsNamedWithItsValue) {
  EXPECT_THAT([] { read({GetParam().argument}); },
              ThrowsMessage<std::invalid_argument>(AllOf(
                  HasSubstr(GetParam().name), HasSubstr(GetParam().value))));
}

INSTANTIATE_TEST_SUITE_P(
    Each, BadOption,
    ::testing::Values(
        Bad{"--dropcheck_profile=smok", "--dropcheck_profile", "'smok'"},
        Bad{"--dropcheck_seed=-1", "--dropcheck_seed", "'-1'"},
        Bad{"--dropcheck_seed=", "--dropcheck_seed", "''"},
        Bad{"--dropcheck_seed", "--dropcheck_seed", "''"},
        Bad{"--dropcheck_alpha=0", "--dropcheck_alpha", "'0'"},
        Bad{"--dropcheck_alpha=nan", "--dropcheck_alpha", "'nan'"},
        Bad{"--dropcheck_threads=0", "--dropcheck_threads", "'0'"},
        Bad{"--dropcheck_call_timeout=1m", "--dropcheck_call_timeout", "'1m'"},
        Bad{"--dropcheck_sed=1", "--dropcheck_sed", "_seed"}),
    [](const auto& one) { return "case_" + std::to_string(one.index); });

TEST(Options, NameTheVariableThatIsBad) {
  EXPECT_THAT(
      [] {
        read({}, {{"DROPCHECK_ALPHA", "2"}});
      },
      ThrowsMessage<std::invalid_argument>(
          HasSubstr("DROPCHECK_ALPHA is '2'")));
}

}  // namespace
}  // namespace dropcheck::gtest
