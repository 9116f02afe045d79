// A terminal shows lines: their width, their order and their escapes matter.
#include "dropcheck/reports/terminal.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <sstream>

#include "dropcheck/reports/html.hpp"
#include "dropcheck/reports/markdown.hpp"
#include "golden.hpp"
#include "grid.hpp"
#include "sample_result.hpp"
#include "text.hpp"
#include "wording.hpp"

namespace dropcheck::reports {
namespace {

using testing::HasSubstr;
using testing::Not;

// Lines to copy are never broken; all others keep to the width.
void expect_width(const std::string& text, std::size_t width) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.find("dropcheck replay ") != std::string::npos) continue;
    EXPECT_LE(columns_of(line), width) << line;
  }
}

TEST(Terminal, KeepsItsForm) {
  expect_golden("sample.txt", summary_table(sample_result(), {}));
  expect_golden(
      "sample_ascii_120.txt",
      summary_table(sample_result(),
                    {.colour = false, .width = 120, .unicode = false}));
}

TEST(Terminal, KeepsToItsWidth) {
  for (const int width : {40, 60, 80, 132}) {
    const TerminalStyle style{.colour = false, .width = width};
    const auto columns = static_cast<std::size_t>(width);
    expect_width(summary_table(sample_result(), style), columns);
    expect_width(summary_table(hostile_result(), style), columns);
    expect_width(summary_table(certified_result(700), style), columns);
  }
}

// One subject with many layers: columns go on below each other.
TEST(Terminal, WrapsATableWithManyLayers) {
  auto result = certified_result(200);
  for (std::size_t i = 0; i < result.findings.size(); ++i) {
    result.findings[i].layer = "layer_" + std::to_string(i % 40);
  }
  const std::string text = summary_table(result, {});
  expect_width(text, 80);
  EXPECT_THAT(text, HasSubstr(" 40  layer_39"));
}

TEST(Terminal, UsesAsciiWhereAskedTo) {
  const std::string text = summary_table(
      sample_result(), {.colour = false, .width = 80, .unicode = false});
  EXPECT_TRUE(std::all_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x80;
  }));
}

TEST(Terminal, ColoursOnlyWhereAskedTo) {
  TerminalStyle style;
  EXPECT_THAT(summary_table(sample_result(), style), Not(HasSubstr("\x1b")));
  style.colour = true;
  EXPECT_THAT(summary_table(sample_result(), style), HasSubstr("\x1b[1;31m"));
}

TEST(Terminal, PassesNoEscapeOfASubject) {
  const std::string text = summary_table(hostile_result(), {});
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(text, Not(HasSubstr("\x01")));
}

TEST(Terminal, GroupsFindingsThatSayTheSame) {
  auto result = certified_result(500);
  for (auto& finding : result.findings) {
    finding.verdict = properties::Verdict::kRefuted;
    finding.check = "drop_rate";
    finding.sentence = "The layer drops nothing.";
  }
  const std::string text = summary_table(result, {});
  EXPECT_THAT(text, HasSubstr("and 499 more configurations"));
  EXPECT_LT(std::count(text.begin(), text.end(), '\n'), 40);
}

// A layer that cannot be called fails every check for one reason.
TEST(Terminal, GroupsChecksThatSayTheSame) {
  auto result = certified_result(4);
  const std::vector<std::string> checks{"support", "drop_rate", "drop_rate",
                                        "seeding"};
  for (std::size_t i = 0; i < checks.size(); ++i) {
    result.findings[i].verdict = properties::Verdict::kCrash;
    result.findings[i].check = checks[i];
    result.findings[i].sentence = "the worker exited with status 3";
  }
  std::string text = summary_table(result, {});
  EXPECT_THAT(text, HasSubstr("2 more checks say the same in 3 findings: "
                              "drop_rate, seeding"));
  EXPECT_THAT(markdown_summary(result),
              HasSubstr("2 more checks say the same in 3 findings"));
  EXPECT_THAT(html_report(result),
              HasSubstr("2 more checks say the same in 3 findings"));
  // One of the rates says something else: that check is told by itself.
  result.findings[2].sentence = "the worker exited with status 4";
  text = summary_table(result, {});
  EXPECT_THAT(text, HasSubstr("1 more check says the same: seeding"));
  EXPECT_THAT(text, HasSubstr("the worker exited with status 4"));
}

TEST(Terminal, SaysWhatMayFollowFromUnitsThatAreWrong) {
  auto result = certified_result(3);
  const std::vector<std::string> checks{"granularity", "drop_rate", "support"};
  for (std::size_t i = 0; i < checks.size(); ++i) {
    properties::Finding& finding = result.findings[i];
    finding.verdict = properties::Verdict::kRefuted;
    finding.check = checks[i];
    finding.sentence = "sentence of " + checks[i];
    finding.evidence = checks[i] == "support"
                           ? properties::Evidence::kDeterministic
                           : properties::Evidence::kStatistical;
  }
  const auto consequence = [&](std::size_t i) {
    return consequence_line(result, result.findings[i]);
  };
  EXPECT_EQ(consequence(0), "");
  EXPECT_THAT(consequence(1), HasSubstr("may follow from granularity"));
  EXPECT_EQ(consequence(2), "");
  EXPECT_THAT(summary_table(result, {}),
              HasSubstr("sentence of drop_rate\n  may follow"));
  result.findings[0].layer = "another";
  EXPECT_EQ(consequence(1), "");
}

// An interval that excludes what is expected must be seen to do so.
TEST(Terminal, ShowsAsManyDigitsAsTellABoundFromTheExpectedValue) {
  properties::Finding finding;
  finding.expected = 0.1;
  finding.interval_lower = 0.10000004;
  finding.interval_upper = 0.103524;
  EXPECT_EQ(interval_text(finding), "[0.10000004, 0.103524]");
  finding.interval_lower = 0.1;
  EXPECT_EQ(interval_text(finding), "[0.1, 0.103524]");
  finding.interval_lower = 0.0999;
  finding.interval_upper = std::nextafter(0.1, 0.0);
  EXPECT_NE(interval_text(finding), "[0.0999, 0.1]");
}

TEST(Terminal, TellsWhyWhatIsNotSupportedHasNoMeaning) {
  auto result = certified_result(3);
  for (std::size_t i = 0; i < 2; ++i) {
    result.findings[i].verdict = properties::Verdict::kNotSupported;
    result.findings[i].check = i == 0 ? "in_place" : "backward_mask";
    result.findings[i].sentence = "the subject declares none";
  }
  EXPECT_THAT(summary_table(result, {}),
              HasSubstr("not supported, backward_mask, in_place: the subject "
                        "declares none"));
}

// A proof by cases beside "no alarm" would read as a contradiction.
TEST(Wording, OfTheAlarmFitsWhatIsRefutedWithoutChance) {
  auto result = certified_result(1);
  EXPECT_THAT(alarm_statement(result), HasSubstr("raises no alarm"));
  EXPECT_THAT(alarm_statement(result), Not(HasSubstr("proved")));
  result.findings[0].verdict = properties::Verdict::kRefuted;
  EXPECT_THAT(alarm_statement(result),
              HasSubstr("What is refuted here is proved case by case"));
}

TEST(Terminal, ClosesWithTheJointStatement) {
  EXPECT_THAT(summary_table(certified_result(2), {}),
              HasSubstr("any of them with at most 2e-9."));
  EXPECT_THAT(summary_table({}, {}), HasSubstr("No check ran."));
}

}  // namespace
}  // namespace dropcheck::reports
