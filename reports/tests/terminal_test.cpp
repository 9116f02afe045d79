// A terminal shows lines: their width, their order and their escapes matter.
#include "dropcheck/reports/terminal.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <sstream>

#include "golden.hpp"
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
