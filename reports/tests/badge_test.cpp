#include "dropcheck/reports/badge.hpp"

#include <gmock/gmock.h>

#include <pugixml.hpp>

#include "sample_result.hpp"

namespace dropcheck::reports {
namespace {

using properties::Verdict;

std::string label_of(const properties::RunResult& result) {
  pugi::xml_document document;
  EXPECT_TRUE(document.load_string(badge_svg(result).c_str()));
  return document.child("svg").attribute("aria-label").value();
}

TEST(Badge, SaysTheVerdictOfTheRun) {
  auto result = certified_result(3);
  EXPECT_EQ(label_of(result), "dropout: certified");
  result.findings[0].verdict = Verdict::kNotSupported;
  EXPECT_EQ(label_of(result), "dropout: certified");
  result.findings[0].verdict = Verdict::kDeviation;
  EXPECT_EQ(label_of(result), "dropout: certified with deviations");
  result.deviation_problems = {"stale"};
  EXPECT_EQ(label_of(result), "dropout: stale deviations");
  result.findings[1].verdict = Verdict::kInconclusive;
  EXPECT_EQ(label_of(result), "dropout: inconclusive");
  result.alarm = true;
  EXPECT_EQ(label_of(result), "dropout: refuted");
}

// Nothing that did not finish is a pass.
TEST(Badge, NeverPassesWhatDidNotRun) {
  EXPECT_EQ(label_of({}), "dropout: nothing ran");
  auto result = certified_result(3);
  result.interrupted = true;
  EXPECT_EQ(label_of(result), "dropout: not-run");
}

}  // namespace
}  // namespace dropcheck::reports
