// The command line is an interface: what is refused, in which words, and that
// nothing is swallowed by the option before it.
#include "dropcheck/cli/options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dropcheck/cli/usage_error.hpp"

namespace dropcheck::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using Words = std::vector<std::string>;

Options read(Words words) {
  const Invocation invocation = parse_command_line(std::move(words), "1.2.3");
  EXPECT_EQ(invocation.text, "");
  return invocation.options;
}

std::string refusal(Words words) {
  try {
    parse_command_line(std::move(words), "1.2.3");
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), Not(HasSubstr("\n")));
    return error.what();
  }
  return "(taken)";
}

TEST(CommandLine, HasTheDefaultsOfTheDesign) {
  const Options options = read({"verify"});
  EXPECT_EQ(options.command, Command::kVerify);
  EXPECT_EQ(options.profile, "pr");
  EXPECT_EQ(options.alpha, 1e-9);
  EXPECT_EQ(options.threads, 0u);
  EXPECT_FALSE(options.seed.has_value());
  EXPECT_TRUE(options.subjects.empty());
}

TEST(CommandLine, RefusesADeviceThatNoSubjectRunsOn) {
  EXPECT_EQ(read({"verify", "--device", "cpu"}).device, "cpu");
  EXPECT_THROW(read({"verify", "--device", "cuda"}), UsageError);
}

TEST(CommandLine, LeavesSubjectsBehindAListOptionAlone) {
  const Options options =
      read({"verify", "--p", "0.1", "builtin:dropout", "--p=0.3,0.5", "--layer",
            "dropout2d", "torch:*", "--shape", "4x8"});
  EXPECT_THAT(options.subjects, ElementsAre("builtin:dropout", "torch:*"));
  EXPECT_THAT(options.drop_probabilities, ElementsAre(0.1, 0.3, 0.5));
  EXPECT_THAT(options.layers, ElementsAre("dropout2d"));
  EXPECT_THAT(options.shapes, ElementsAre(impl::Shape{4, 8}));
}

TEST(CommandLine, ReadsSeedsAndTimes) {
  const Options options = read({"verify", "--seed", "7", "--time-limit", "4m",
                                "--threads", "2", "--delta", "1e-3"});
  EXPECT_EQ(options.seed, 7u);
  EXPECT_EQ(options.time_limit_seconds, 240);
  EXPECT_EQ(options.threads, 2u);
  EXPECT_EQ(options.delta, 1e-3);
  EXPECT_FALSE(read({"verify", "--seed", "random"}).seed.has_value());
}

TEST(CommandLine, RefusesBadValuesInTheOptionsOwnWords) {
  EXPECT_THAT(refusal({"verify", "--p", "1.5"}), HasSubstr("--p is '1.5'"));
  EXPECT_THAT(refusal({"verify", "--p", "-0.1"}), HasSubstr("--p is '-0.1'"));
  EXPECT_THAT(refusal({"verify", "--p", "nan"}), HasSubstr("--p is 'nan'"));
  EXPECT_THAT(refusal({"verify", "--shape", "0x4"}), HasSubstr("'0x4'"));
  EXPECT_THAT(refusal({"verify", "--threads=0"}), HasSubstr("4096"));
  EXPECT_THAT(refusal({"verify", "--alpha=0.5"}), HasSubstr("below 0.5"));
  EXPECT_THAT(refusal({"verify", "--seed", "randon"}), HasSubstr("'randon'"));
  EXPECT_THAT(refusal({"verify", "--seed="}), HasSubstr("--seed"));
  EXPECT_THAT(refusal({"plan", "--dtype", "f23"}), HasSubstr("'f32'?"));
}

TEST(CommandLine, SuggestsNearOptionsAndCommands) {
  EXPECT_THAT(refusal({"verify", "--profil", "smoke"}),
              HasSubstr("unknown option '--profil'; did you mean '--profile'"));
  EXPECT_THAT(refusal({"verify", "--thread=2"}), HasSubstr("'--threads'?"));
  EXPECT_THAT(refusal({"verfy"}), HasSubstr("did you mean 'verify'?"));
  EXPECT_THAT(refusal({"--frobnicate"}), HasSubstr("'--frobnicate'"));
  EXPECT_THAT(refusal({"list", "checks", "more"}), HasSubstr("'more'"));
}

TEST(CommandLine, RefusesWhatIsMissingOrTwice) {
  EXPECT_THAT(refusal({"explain"}), HasSubstr("name of a check"));
  EXPECT_THAT(refusal({"replay"}), HasSubstr("token"));
  EXPECT_EQ(refusal({"verify", "--seed"}), "--seed needs a value");
  EXPECT_EQ(refusal({"verify", "--p"}), "--p needs a value");
  EXPECT_THAT(refusal({"verify", "--seed", "1", "--seed", "2"}),
              HasSubstr("--seed is given more than once"));
  EXPECT_THAT(refusal({"verify", "--json", "a", "--html", "a"}),
              HasSubstr("--html is 'a', but --json has this path"));
  EXPECT_THAT(refusal({"verify", "--json", ""}), HasSubstr("--json is ''"));
}

TEST(CommandLine, PrintsHelpAndVersion) {
  EXPECT_THAT(parse_command_line({"--version"}, "1.2.3").text,
              HasSubstr("dropcheck 1.2.3"));
  EXPECT_THAT(parse_command_line({"verify", "--help"}, "").text,
              HasSubstr("--time-limit"));
  EXPECT_THAT(parse_command_line({}, "").text, HasSubstr("verify"));
  EXPECT_THAT(parse_command_line({"--help"}, "").text,
              HasSubstr("Exit status"));
}

TEST(CommandText, RepeatsTheRunWithItsSeed) {
  EXPECT_EQ(command_text({"verify", "torch:*"}, 7),
            "dropcheck verify 'torch:*' --seed 7");
  EXPECT_EQ(command_text({"verify", "--seed", "random", "a b"}, 7),
            "dropcheck verify 'a b' --seed 7");
  EXPECT_EQ(command_text({"verify", "--seed=random"}, 7),
            "dropcheck verify --seed 7");
  EXPECT_EQ(command_text({"verify", "--seed", "3"}, 3),
            "dropcheck verify --seed 3");
  EXPECT_EQ(command_text({"verify", "it's"}, 1),
            "dropcheck verify 'it'\\''s' --seed 1");
}

}  // namespace
}  // namespace dropcheck::cli
