// The smallest case still refuted, in every report: with its own line to paste,
// and never as code of the page.
#include <gmock/gmock.h>

#include "dropcheck/reports/html.hpp"
#include "dropcheck/reports/json.hpp"
#include "dropcheck/reports/markdown.hpp"
#include "dropcheck/reports/terminal.hpp"
#include "sample_result.hpp"

namespace dropcheck::reports {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

properties::RunResult shrunk(const std::string& smallest,
                             const std::string& stopped) {
  properties::RunResult result = sample_result();
  for (properties::Finding& finding : result.findings) {
    if (finding.verdict != properties::Verdict::kRefuted) continue;
    finding.generated = true;
    finding.shrinking = properties::Shrinking{
        .steps = {{"p=0.5,f32,64x2", true, 40.5, 12.25},
                  {"p=0.5,f32,<1>", false, -2.0, 12.5},
                  {"p=0.25,f32,3", true, std::nullopt, std::nullopt}},
        .smallest = smallest,
        .sentence = "half of it is gone",
        .replay = smallest.empty() ? "" : "dc1,shape=3",
        .not_asked = 2,
        .stopped = stopped};
    break;
  }
  return result;
}

TEST(SmallestCase, StandsInEveryReportWithItsOwnLine) {
  const auto result = shrunk("p=0.25,f32,3", "");
  const auto tells = AllOf(HasSubstr("smallest case still refuted"),
                           HasSubstr("dropcheck replay dc1,shape=3"));
  EXPECT_THAT(summary_table(result, {}), tells);
  EXPECT_THAT(markdown_summary(result),
              AllOf(tells, HasSubstr("| `p=0.5,f32,64x2` | 40.5 | 12.25 |")));
  EXPECT_THAT(html_report(result),
              AllOf(tells, HasSubstr("p=0.5,f32,&lt;1&gt;"),
                    HasSubstr("half of it is gone"), Not(HasSubstr("<1>"))));
}

TEST(SmallestCase, SaysThatNothingSimplerIsRefutedAndWhatStoppedIt) {
  const auto result = shrunk("", "stopped after 200 steps");
  for (const std::string& report :
       {markdown_summary(result), html_report(result)}) {
    EXPECT_THAT(report, AllOf(HasSubstr("no simpler case is refuted"),
                              HasSubstr("3 cases tried"),
                              HasSubstr("stopped after 200 steps"),
                              Not(HasSubstr("still refuted"))));
  }
}

TEST(SmallestCase, OfACrashStillCrashes) {
  auto result = shrunk("p=0.25,f32,3", "");
  for (properties::Finding& finding : result.findings) {
    if (finding.shrinking) finding.verdict = properties::Verdict::kCrash;
  }
  EXPECT_THAT(markdown_summary(result),
              HasSubstr("smallest case that still crashes"));
}

TEST(SmallestCase, GoesThroughJsonAndBack) {
  const auto first = to_json(shrunk("p=0.25,f32,3", "interrupted"));
  EXPECT_EQ(to_json(from_json(first)), first);
  EXPECT_THAT(first.dump(), HasSubstr("\"smallest\":\"p=0.25,f32,3\""));
}

}  // namespace
}  // namespace dropcheck::reports
