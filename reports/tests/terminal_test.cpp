// A terminal shows lines: their width, their order and their escapes matter.
#include "dropcheck/reports/terminal.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <sstream>

#include "golden.hpp"
#include "sample_result.hpp"
#include "text.hpp"

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

TEST(Terminal, ClosesWithTheJointStatement) {
  EXPECT_THAT(summary_table(certified_result(2), {}),
              HasSubstr("any of them with at most 2e-9."));
  EXPECT_THAT(summary_table({}, {}), HasSubstr("No check ran."));
}

}  // namespace
}  // namespace dropcheck::reports
