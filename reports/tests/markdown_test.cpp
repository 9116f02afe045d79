// GitHub splits table cells at pipes before it reads anything else, so one
// pipe of a subject would move every column behind it.
#include "dropcheck/reports/markdown.hpp"

#include <gmock/gmock.h>

#include <sstream>

#include "golden.hpp"
#include "sample_result.hpp"

namespace dropcheck::reports {
namespace {

using testing::HasSubstr;
using testing::Not;

std::size_t cells_of(const std::string& row) {
  std::size_t cells = 0;
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (row[i] == '|' && (i == 0 || row[i - 1] != '\\')) ++cells;
  }
  return cells - 1;
}

TEST(Markdown, KeepsItsForm) {
  expect_golden("sample.md", markdown_summary(sample_result()));
}

TEST(Markdown, KeepsTheCellsOfItsTable) {
  for (const auto& result : {sample_result(), hostile_result()}) {
    std::istringstream lines(markdown_summary(result));
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("|")) {
        EXPECT_EQ(cells_of(line), 5U) << line;
      }
    }
  }
}

TEST(Markdown, EscapesWhatASubjectSends) {
  const std::string text = markdown_summary(hostile_result());
  EXPECT_THAT(text, Not(HasSubstr("> </style>")));
  EXPECT_THAT(text, HasSubstr("&lt;script&gt;alert(2)"));
}

TEST(Markdown, StaysBelowTheLimitOfAJobSummary) {
  auto result = certified_result(5000);
  for (std::size_t i = 0; i < result.findings.size(); ++i) {
    result.findings[i].verdict = properties::Verdict::kRefuted;
    result.findings[i].check = "check_" + std::to_string(i % 200);
  }
  EXPECT_LT(markdown_summary(result).size(), std::size_t{1} << 20);
}

}  // namespace
}  // namespace dropcheck::reports
