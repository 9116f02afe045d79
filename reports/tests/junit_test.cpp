// CI services decide by elements and counts: nothing that is not a pass may
// look like one, and the file must parse whatever a subject sends.
#include "dropcheck/reports/junit.hpp"

#include <gmock/gmock.h>

#include <pugixml.hpp>

#include "golden.hpp"
#include "sample_result.hpp"

namespace dropcheck::reports {
namespace {

using properties::RunResult;
using properties::Verdict;

std::string outcome_of(Verdict verdict) {
  RunResult result = certified_result(1);
  result.findings[0].verdict = verdict;
  pugi::xml_document document;
  EXPECT_TRUE(document.load_string(junit_xml(result).c_str()));
  const auto node = document.select_node("//testcase/*").node();
  return std::string(node.name()) + ":" + node.attribute("type").value();
}

TEST(Junit, KeepsItsForm) {
  expect_golden("sample.xml", junit_xml(sample_result()));
}

TEST(Junit, PassesOnlyWhatIsCertified) {
  EXPECT_EQ(outcome_of(Verdict::kCertified), ":");
  EXPECT_EQ(outcome_of(Verdict::kRefuted), "failure:refuted");
  EXPECT_EQ(outcome_of(Verdict::kUnexpectedPass), "failure:unexpected-pass");
  EXPECT_EQ(outcome_of(Verdict::kInconclusive), "failure:inconclusive");
  EXPECT_EQ(outcome_of(Verdict::kNotRun), "failure:inconclusive");
  EXPECT_EQ(outcome_of(Verdict::kCrash), "error:crash");
  EXPECT_EQ(outcome_of(Verdict::kTimeout), "error:timeout");
  EXPECT_EQ(outcome_of(Verdict::kError), "error:error");
  EXPECT_EQ(outcome_of(Verdict::kDeviation), "skipped:deviation");
  EXPECT_EQ(outcome_of(Verdict::kNotSupported), "skipped:not-supported");
}

TEST(Junit, CountsWhatItHolds) {
  pugi::xml_document document;
  ASSERT_TRUE(document.load_string(junit_xml(sample_result()).c_str()));
  const auto root = document.child("testsuites");
  const auto count = [&](const char* query) {
    return document.select_nodes(query).size();
  };
  EXPECT_EQ(root.attribute("tests").as_ullong(), count("//testcase"));
  EXPECT_EQ(root.attribute("failures").as_ullong(), count("//failure"));
  EXPECT_EQ(root.attribute("errors").as_ullong(), count("//error"));
  EXPECT_EQ(root.attribute("skipped").as_ullong(), count("//skipped"));
}

TEST(Junit, FailsForTheRunAsAWhole) {
  RunResult result = certified_result(1);
  EXPECT_EQ(junit_xml(result).find("dropcheck.run"), std::string::npos);
  result.alarm = true;
  EXPECT_NE(junit_xml(result).find("dropcheck.run"), std::string::npos);
  EXPECT_NE(junit_xml(RunResult{}).find("No check ran"), std::string::npos);
}

TEST(Junit, HasNoCharacterThatXmlForbids) {
  const std::string xml = junit_xml(hostile_result());
  EXPECT_EQ(xml.find('\x01'), std::string::npos);
  EXPECT_EQ(xml.find('\x1b'), std::string::npos);
  EXPECT_EQ(xml.find("&#"), std::string::npos);
  pugi::xml_document document;
  EXPECT_TRUE(document.load_string(xml.c_str()));
}

}  // namespace
}  // namespace dropcheck::reports
