// An entry excuses what it declares and nothing else, and cannot go stale.
#include "dropcheck/reports/deviations.hpp"

#include <gmock/gmock.h>

#include <limits>

#include "sample_result.hpp"

namespace dropcheck::reports {
namespace {

using namespace std::chrono_literals;
using properties::RunResult;
using properties::Verdict;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr auto kToday = 2026y / 6 / 15;

Deviation entry(const std::string& id) {
  return {.id = id, .reason = "known", .url = "https://example.org"};
}

// One finding off by 0.01 with much evidence, one that is right.
RunResult one_refuted() {
  RunResult result = certified_result(2);
  result.findings[0].verdict = Verdict::kRefuted;
  result.findings[0].observed = 0.11;
  result.findings[0].log10_e = 40;
  result.findings[1].log10_e = -2;
  result.log10_run_e = 38;
  result.alarm = true;
  result.largest_term = result.findings[0].id;
  return result;
}

RunResult applied(RunResult result, const Deviation& deviation) {
  apply_deviations(result, {&deviation, 1}, kToday);
  return result;
}

TEST(Deviations, ExcuseWhatTheyDeclare) {
  const auto result = applied(one_refuted(), entry("dropout.drop_rate[*]"));
  EXPECT_EQ(result.findings[0].verdict, Verdict::kDeviation);
  EXPECT_EQ(result.findings[0].deviation_reason, "known");
  EXPECT_EQ(result.findings[0].deviation_url, "https://example.org");
  EXPECT_EQ(result.findings[1].verdict, Verdict::kCertified);
  EXPECT_THAT(result.deviation_problems, IsEmpty());
}

// Otherwise the alarm of the run would refute what was declared.
TEST(Deviations, LeaveTheAlarmToTheOtherFindings) {
  const auto result = applied(one_refuted(), entry("dropout.drop_rate[*]"));
  EXPECT_FALSE(result.alarm);
  EXPECT_LT(result.log10_run_e, 0);
  auto both = one_refuted();
  both.findings[1].log10_e = 30;
  both = applied(both, entry("dropout.drop_rate[*]"));
  EXPECT_TRUE(both.alarm);
  EXPECT_EQ(both.largest_term, both.findings[1].id);
}

TEST(Deviations, NeverExcuseACrashOrSomethingOpen) {
  for (const Verdict verdict :
       {Verdict::kCrash, Verdict::kTimeout, Verdict::kError, Verdict::kNotRun,
        Verdict::kInconclusive}) {
    auto result = one_refuted();
    result.findings[0].verdict = verdict;
    result = applied(result, entry("dropout.drop_rate[*]"));
    EXPECT_EQ(result.findings[0].verdict, verdict);
    EXPECT_TRUE(result.alarm);
    EXPECT_THAT(result.deviation_problems, IsEmpty());
  }
}

// The smoke profile cannot see an effect of 2e-3: its certificate does not make
// the entry stale. A run that could have seen it does.
TEST(Deviations, AreNotStaleWhereTheRunWasTooCoarse) {
  auto result = one_refuted();
  auto known = entry("dropout.drop_rate[*]");
  known.largest_effect = 2e-3;
  result.findings[0].verdict = Verdict::kCertified;
  result.findings[0].interval_lower.reset();
  result.findings[0].interval_upper.reset();
  result.findings[0].detectable_effect = 1e-2;
  EXPECT_THAT(applied(result, known).deviation_problems, IsEmpty());
  result.findings[0].detectable_effect = 5e-4;
  EXPECT_THAT(applied(result, known).deviation_problems,
              ElementsAre(HasSubstr("stale")));
}

// A certificate proves that an effect is gone only if its interval excludes it.
TEST(Deviations, AreGoneOnlyWhereTheIntervalExcludesTheRecordedEffect) {
  auto result = one_refuted();
  auto known = entry("dropout.drop_rate[*]");
  known.largest_effect = 2e-3;
  auto& finding = result.findings[0];
  finding.verdict = Verdict::kCertified;
  finding.detectable_effect = 1e-5;
  finding.expected = 0.1;
  finding.observed = 0.1005;
  finding.interval_lower = 0.0995;
  finding.interval_upper = 0.1025;
  EXPECT_EQ(applied(result, known).findings[0].verdict, Verdict::kCertified);
  finding.interval_upper = 0.1015;
  const auto gone = applied(result, known);
  EXPECT_EQ(gone.findings[0].verdict, Verdict::kUnexpectedPass);
  EXPECT_EQ(gone.findings[0].deviation_reason, "known");
  EXPECT_THAT(gone.deviation_problems, ElementsAre(HasSubstr("stale")));
  finding.interval_upper.reset();  // proves nothing on that side
  EXPECT_EQ(applied(result, known).findings[0].verdict, Verdict::kCertified);
}

TEST(Deviations, AreWithdrawn) {
  auto result = applied(one_refuted(), entry("dropout.drop_rate[*]"));
  result.deviation_problems = {"old"};
  withdraw_deviations(result);
  EXPECT_EQ(result.findings[0].verdict, Verdict::kRefuted);
  EXPECT_EQ(result.findings[0].deviation_reason, "");
  EXPECT_THAT(result.deviation_problems, IsEmpty());
  result.findings[0].verdict = Verdict::kUnexpectedPass;
  withdraw_deviations(result);
  EXPECT_EQ(result.findings[0].verdict, Verdict::kCertified);
}

TEST(Deviations, ExcuseSomethingOpenWhereTheySaySo) {
  auto result = one_refuted();
  result.findings[0].verdict = Verdict::kInconclusive;
  Deviation deviation = entry("dropout.drop_rate[*]");
  deviation.inconclusive = true;
  EXPECT_EQ(applied(result, deviation).findings[0].verdict,
            Verdict::kDeviation);
}

TEST(Deviations, AreStaleWhereNothingDeviates) {
  EXPECT_THAT(applied(one_refuted(), entry("dropout.unit_counts[*]"))
                  .deviation_problems,
              ElementsAre(HasSubstr("none of the 1 finding that it matches")));
  EXPECT_THAT(applied(one_refuted(), entry("x.*")).deviation_problems,
              ElementsAre(HasSubstr("matches no finding")));
}

// A file holds entries of more subjects than one run has.
TEST(Deviations, OfSubjectsThatAreNotInTheRunAreNotJudged) {
  Deviation other = entry("*");
  other.subject = "torch:*";
  other.expires = 2026y / 6 / 14;
  const auto result = applied(one_refuted(), other);
  EXPECT_THAT(result.deviation_problems, IsEmpty());
  EXPECT_EQ(result.findings[0].verdict, Verdict::kRefuted);
  EXPECT_THAT(result.warnings,
              ElementsAre(HasSubstr("1 declared deviation of subjects that "
                                    "are not in this run")));
}

TEST(Deviations, EndOnTheirLastDay) {
  Deviation deviation = entry("dropout.drop_rate[*]");
  deviation.expires = kToday;
  EXPECT_THAT(applied(one_refuted(), deviation).deviation_problems, IsEmpty());
  deviation.expires = 2026y / 6 / 14;
  const auto result = applied(one_refuted(), deviation);
  EXPECT_EQ(result.findings[0].verdict, Verdict::kRefuted);
  EXPECT_THAT(result.deviation_problems,
              ElementsAre(HasSubstr("expired on 2026-06-14")));
}

TEST(Deviations, DoNotGrow) {
  Deviation deviation = entry("dropout.drop_rate[*]");
  deviation.largest_effect = 0.02;
  EXPECT_EQ(applied(one_refuted(), deviation).findings[0].verdict,
            Verdict::kDeviation);
  deviation.largest_effect = 0.005;
  const auto grown = applied(one_refuted(), deviation);
  EXPECT_EQ(grown.findings[0].verdict, Verdict::kRefuted);
  EXPECT_TRUE(grown.alarm);
  EXPECT_THAT(grown.deviation_problems, ElementsAre(HasSubstr("has grown")));
  auto unknown = one_refuted();
  unknown.findings[0].observed = std::numeric_limits<double>::quiet_NaN();
  deviation.largest_effect = 0.02;
  EXPECT_EQ(applied(unknown, deviation).findings[0].verdict, Verdict::kRefuted);
}

TEST(Deviations, MayOverlap) {
  auto result = one_refuted();
  const std::vector<Deviation> both{entry("dropout.drop_rate[*]"),
                                    entry("dropout.*")};
  apply_deviations(result, both, kToday);
  EXPECT_THAT(result.deviation_problems, IsEmpty());
}

}  // namespace
}  // namespace dropcheck::reports
