#include "dropcheck/gtest/wording.hpp"

#include <gmock/gmock.h>

namespace dropcheck::gtest {
namespace {

using properties::Finding;
using properties::RunResult;
using properties::Verdict;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

Finding finding(const std::string& check, Verdict verdict) {
  Finding result;
  result.check = check;
  result.id = "dropout." + check + "[p=0.5,f32,64]";
  result.verdict = verdict;
  result.sentence = check + " says so";
  result.replay = "dc1,check=" + check;
  return result;
}

RunResult run_of(std::vector<Finding> findings) {
  RunResult result;
  result.findings = std::move(findings);
  result.profile = "smoke";
  return result;
}

std::string text(const RunResult& result) {
  return failure_text(result, {.layer = "Toy",
                               .law = "dropout",
                               .test = "A.B",
                               .program = "./my tests",
                               .seed = 7});
}

TEST(Conforms, NeedsACertificateAndNothingBad) {
  const Finding good = finding("support", Verdict::kCertified);
  const Finding lacking = finding("seeding", Verdict::kNotSupported);
  EXPECT_TRUE(conforms(run_of({good, lacking})));
  EXPECT_FALSE(conforms(run_of({})));
  EXPECT_FALSE(conforms(run_of({lacking})));
  for (const Verdict bad :
       {Verdict::kError, Verdict::kCrash, Verdict::kTimeout, Verdict::kRefuted,
        Verdict::kUnexpectedPass, Verdict::kInconclusive, Verdict::kNotRun}) {
    EXPECT_FALSE(conforms(run_of({good, finding("moments", bad)})));
  }
  RunResult alarmed = run_of({good});
  alarmed.alarm = true;
  EXPECT_FALSE(conforms(alarmed));
}

TEST(FailureText, BeginsWithTheWorstAndCountsTheRest) {
  Finding rate = finding("drop_rate", Verdict::kRefuted);
  rate.expected = 0.5;
  rate.observed = 0.25;
  rate.interval_lower = 0.2;
  rate.interval_upper = 0.3;
  rate.n = 1000;
  rate.log10_e = 12.25;
  const std::string all =
      text(run_of({finding("support", Verdict::kCertified),
                   finding("moments", Verdict::kInconclusive), rate}));
  EXPECT_THAT(all, StartsWith("Toy does not conform to dropout: 1 refuted, 1 "
                              "inconclusive of 3 findings\n"
                              "refuted dropout.drop_rate[p=0.5,f32,64]\n"
                              "  drop_rate says so\n"
                              "  expected 0.5, observed 0.25, interval [0.2, "
                              "0.3], n = 1000, log10 e = 12.25\n"));
  EXPECT_THAT(all, HasSubstr("DROPCHECK_REPLAY=dc1,check=drop_rate './my "
                             "tests' --gtest_filter=A.B\n"));
  EXPECT_THAT(all, HasSubstr("  inconclusive dropout.moments[p=0.5,f32,64]: "));
  EXPECT_THAT(all, HasSubstr("DROPCHECK_SEED=7"));
  EXPECT_THAT(all, Not(HasSubstr("support says so")));
}

TEST(FailureText, SaysThatInconclusiveIsNoPass) {
  EXPECT_THAT(text(run_of({finding("moments", Verdict::kInconclusive)})),
              StartsWith("Toy is neither proved to conform to dropout nor to "
                         "differ, which is no pass: 1 inconclusive of 1"));
}

TEST(FailureText, HasWordsForNothingAtAll) {
  EXPECT_THAT(text(run_of({})), StartsWith("Toy: nothing was verified"));
  EXPECT_THAT(text(run_of({finding("seeding", Verdict::kNotSupported)})),
              StartsWith("Toy: no check of dropout is certified"));
  RunResult alarmed = run_of({finding("moments", Verdict::kCertified)});
  alarmed.alarm = true;
  alarmed.largest_term = "dropout.moments[x]";
  EXPECT_THAT(text(alarmed), HasSubstr("most of it is dropout.moments[x]"));
}

TEST(FailureText, ShortensBetweenCharacters) {
  Finding first = finding("support", Verdict::kRefuted);
  Finding second = finding("moments", Verdict::kRefuted);
  second.sentence = std::string(99, 'x') + "\u00e9" + std::string(50, 'y');
  EXPECT_THAT(text(run_of({first, second})),
              HasSubstr(": " + std::string(99, 'x') + "...\n"));
}

}  // namespace
}  // namespace dropcheck::gtest
