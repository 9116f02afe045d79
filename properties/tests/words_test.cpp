// Globs, the words for a wrong rate, and what a run's findings come to. The
// sentences are what people search for, so they are compared letter by letter.
#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <string>

#include "dropcheck/properties/glob.hpp"
#include "dropcheck/properties/run_result.hpp"
#include "rate_words.hpp"
#include "support.hpp"

namespace dropcheck::properties {
namespace {

TEST(Glob, TakesStarsQuestionMarksAndAllElseLiterally) {
  const std::string id = "dropout2d.granularity[p=0.1,f32,64x256x2x2]";
  for (const char* pattern :
       {"*", "dropout2d.*", "*.granularity*", "*[p=0.1,*", "*2]", "**",
        "dropout?d.granularity[p=0.1,f32,64x256x2x2]", "*d*g*p*2*"}) {
    EXPECT_TRUE(glob_matches(pattern, id)) << pattern;
  }
  for (const char* pattern :
       {"", "dropout2d", "granularity", "*.granularit", "dropout?2d.*",
        "*[p=0x1*", "*[pq]*", "*d*g*z*"}) {
    EXPECT_FALSE(glob_matches(pattern, id)) << pattern;
  }
  EXPECT_TRUE(glob_matches("", ""));
  EXPECT_TRUE(glob_matches("*", ""));
  EXPECT_FALSE(glob_matches("?", ""));
}

/// One line of recursion, exponential and plainly right.
bool twin(const std::string& pattern, const std::string& text) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '*') {
    return twin(pattern.substr(1), text) ||
           (!text.empty() && twin(pattern, text.substr(1)));
  }
  return !text.empty() && (pattern[0] == '?' || pattern[0] == text[0]) &&
         twin(pattern.substr(1), text.substr(1));
}

RC_GTEST_PROP(Glob, AgreesWithItsTwin, ()) {
  const auto letters = [](const std::string& alphabet, int most) {
    const auto length = *rc::gen::inRange(0, most + 1);
    return *rc::gen::container<std::string>(static_cast<std::size_t>(length),
                                            rc::gen::elementOf(alphabet));
  };
  const std::string pattern = letters("ab*?", 7);
  const std::string text = letters("ab", 9);
  RC_ASSERT(glob_matches(pattern, text) == twin(pattern, text));
}

std::string rate_cause(double specified, double rate, double half_width) {
  return cause_of_rate(specified, {rate - half_width, rate + half_width});
}

TEST(RateWords, NameTheCause) {
  EXPECT_EQ(rate_cause(0.1, 26.0 / 256, 2e-4),
            "looks like a threshold of 26/256");
  EXPECT_EQ(rate_cause(0.1, 2.0 / 16, 3e-3), "looks like a threshold of 2/16");
  EXPECT_EQ(rate_cause(0.1, 0.9, 1e-2), "keep and drop are swapped");
  EXPECT_EQ(rate_cause(0.1, 0.19, 1e-3), "looks like dropout applied twice");
  EXPECT_EQ(rate_cause(0.1, 0.05, 1e-3), "half of the rate");
  EXPECT_EQ(rate_cause(0.1, 0.01, 1e-4), "the square of the rate");
  EXPECT_EQ(rate_cause(0.1, 1 - 1e-4, 1e-5), "it drops everything");
  EXPECT_EQ(rate_cause(0.1, 1e-4, 1e-5), "it hardly drops");
  EXPECT_EQ(rate_cause(0.1, 0.0, 0.0), "it drops nothing");
  EXPECT_EQ(rate_cause(0.1, 1.0, 0.0), "it drops everything");
}

// With other parameters than those of the zoo.
TEST(RateWords, NameTheCauseAtOtherProbabilities) {
  EXPECT_EQ(rate_cause(0.3, 9.0 / 32, 5e-4), "looks like a threshold of 9/32");
  EXPECT_EQ(rate_cause(0.3, 5.0 / 16, 3e-3), "looks like a threshold of 5/16");
  EXPECT_EQ(rate_cause(0.37, 379.0 / 1024, 2e-5),
            "looks like a threshold of 379/1024");
  EXPECT_EQ(rate_cause(0.3, 0.7, 1e-2), "keep and drop are swapped");
  EXPECT_EQ(rate_cause(0.37, 0.5, 2e-3),
            "looks like 0.5, a usual default: the argument does not arrive");
  EXPECT_EQ(rate_cause(0.37, std::sqrt(0.37), 2e-3), "the root of the rate");
  EXPECT_EQ(rate_cause(0.3, 0.0030, 1e-4),
            "the rate looks taken for a percentage");
  EXPECT_EQ(rate_cause(0.3, 0.18, 1e-3),
            "looks like the mean of two uniform numbers compared with p");
  EXPECT_EQ(rate_cause(0.003, 0.0, 0.0),
            "it drops nothing, as a threshold of eight bits does below 1/256");
}

// Two that fit are both named; of many, or none, only the difference is.
TEST(RateWords, NameNothingThatTheIntervalDoesNotShow) {
  EXPECT_EQ(rate_cause(0.1, 0.2, 1e-3),
            "twice the rate, or looks like 0.2, a usual default: the argument "
            "does not arrive");
  EXPECT_EQ(rate_cause(0.1, 0.7, 1e-3), "too high by 0.600, a factor of 7");
  EXPECT_EQ(rate_cause(0.1, 0.10275, 0.00225), "too high by 0.003");
  EXPECT_THAT(rate_cause(0.5, 0.425, 0.025),
              ::testing::StartsWith("too low by 0.0"));
  EXPECT_EQ(rate_cause(0.5, 0.25, 0.01), "too low by 0.25, a factor of 0.5");
  EXPECT_EQ(rate_cause(0.1, 0.101225, 0.000025),
            "too high by 0.00122, a factor of 1.01");
}

TEST(RateWords, GiveAsManyDigitsAsAreKnown) {
  EXPECT_EQ(rate_text(0.1015623, {0.1003, 0.1027}), "0.102");
  EXPECT_EQ(rate_text(0.1015623, {0.101545, 0.10158}), "0.10156");
  EXPECT_EQ(rate_text(0.5, {0.5, 0.5}), "0.5");
}

Finding finding(Verdict verdict) {
  Finding result;
  result.verdict = verdict;
  return result;
}

template <class... Verdicts>
RunResult with(Verdicts... verdicts) {
  RunResult result;
  (result.findings.push_back(finding(verdicts)), ...);
  return result;
}

TEST(ExitStatus, FollowsTheTableOfTheProgram) {
  using enum Verdict;
  EXPECT_EQ(exit_status(with(kCertified)), 0);
  EXPECT_EQ(exit_status(with(kCertified, kDeviation, kNotSupported)), 0);
  EXPECT_EQ(exit_status(with(kCertified, kRefuted)), 1);
  EXPECT_EQ(exit_status(with(kCertified, kCrash)), 1);
  EXPECT_EQ(exit_status(with(kCertified, kTimeout)), 1);
  EXPECT_EQ(exit_status(with(kCertified, kUnexpectedPass)), 2);
  EXPECT_EQ(exit_status(with(kCertified, kInconclusive)), 3);
  EXPECT_EQ(exit_status(with(kCertified, kNotRun)), 3);
  EXPECT_EQ(exit_status(with(kCertified, kError)), 4);
  EXPECT_EQ(exit_status(with(kNotSupported)), 5);
  EXPECT_EQ(exit_status(RunResult{}), 5);
}

// Precedence 130, 2, 1, 4, 3, 5, 0.
TEST(ExitStatus, LetsTheWorstSpeak) {
  using enum Verdict;
  RunResult all = with(kCertified, kNotSupported, kInconclusive, kError,
                       kRefuted, kUnexpectedPass);
  all.interrupted = true;
  EXPECT_EQ(exit_status(all), 130);
  all.interrupted = false;
  EXPECT_EQ(exit_status(all), 2);
  EXPECT_EQ(exit_status(with(kInconclusive, kError, kRefuted)), 1);
  EXPECT_EQ(exit_status(with(kNotRun, kError, kCertified)), 4);
  EXPECT_EQ(exit_status(with(kNotSupported, kInconclusive)), 3);
  RunResult stale = with(kRefuted);
  stale.deviation_problems = {"matches nothing"};
  EXPECT_EQ(exit_status(stale), 2);
}

TEST(ExitStatus, CountsAnAlarmOfTheAverage) {
  RunResult result = with(Verdict::kCertified);
  result.alarm = true;
  EXPECT_EQ(exit_status(result), 1);
}

TEST(Verdicts, HaveNamesThatRoundTripAndAnOrder) {
  for (std::size_t i = 0; i < kVerdictCount; ++i) {
    const auto verdict = static_cast<Verdict>(i);
    EXPECT_EQ(verdict_from_name(name_of(verdict)), verdict);
    EXPECT_EQ(worse(verdict, Verdict::kCertified), verdict);
    EXPECT_EQ(worse(Verdict::kError, verdict), Verdict::kError);
  }
  EXPECT_FALSE(verdict_from_name("passed"));
  EXPECT_EQ(worst(RunResult{}), Verdict::kNotRun);
  EXPECT_EQ(worst(with(Verdict::kCertified, Verdict::kInconclusive)),
            Verdict::kInconclusive);
  const auto counts =
      count_verdicts(with(Verdict::kRefuted, Verdict::kRefuted));
  EXPECT_EQ(counts.at(Verdict::kRefuted), 2u);
}

/// The sentence of each certified `expectation` of a subject, first words.
std::string mean_words(const std::string& subject) {
  Settings settings = testing::smoke(7);
  settings.only = {"*.expectation*"};
  std::string words;
  for (const Finding& finding :
       testing::run({testing::subject(subject)}, settings).findings) {
    EXPECT_EQ(finding.verdict, Verdict::kCertified) << finding.sentence;
    words += finding.sentence.substr(0, finding.sentence.find(';')) + '\n';
  }
  return words;
}

TEST(MeanWords, SayTheLawsMeanWhereItIsNotTheInput) {
  using ::testing::HasSubstr;
  EXPECT_THAT(mean_words("builtin:dropout"), HasSubstr("the mean is kept\n"));
  EXPECT_THAT(mean_words("builtin:alpha_dropout"),
              HasSubstr("E[y] = 0.829156 x as the law gives\n"));
  EXPECT_THAT(mean_words("builtin:drop_path"),
              HasSubstr("E[y] = 0.9 x as the law gives\n"));
}

// A bound that no layer can break is no certificate.
TEST(EmptyBounds, StayOpenWhereNothingIsEverDropped) {
  Settings settings = testing::smoke(7, 1e-9);
  settings.only = {"*.higher_order*", "*.independence_pairs*"};
  const RunResult result =
      testing::run({testing::subject("builtin:dropout")}, settings);
  EXPECT_EQ(result.findings.size(), 2U);
  for (const Finding& finding : result.findings) {
    EXPECT_EQ(finding.verdict, Verdict::kInconclusive)
        << finding.id << ' ' << finding.sentence;
  }
}

}  // namespace
}  // namespace dropcheck::properties
