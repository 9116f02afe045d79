// The page must be safe (a subject chooses much of its text), complete and
// self-contained. It is well-formed XML, so that a test can look into it.
#include "dropcheck/reports/html.hpp"

#include <gmock/gmock.h>

#include <limits>
#include <pugixml.hpp>
#include <regex>
#include <set>

#include "sample_result.hpp"

namespace dropcheck::reports {
namespace {

using testing::HasSubstr;
using testing::Not;

pugi::xml_document parsed(const std::string& html) {
  pugi::xml_document document;
  const auto outcome = document.load_string(html.c_str());
  EXPECT_TRUE(outcome) << outcome.description() << " at "
                       << html.substr(static_cast<std::size_t>(outcome.offset),
                                      80);
  return document;
}

TEST(Html, IsBalancedForEveryKindOfResult) {
  parsed(html_report(sample_result()));
  parsed(html_report(hostile_result()));
  parsed(html_report(certified_result(300)));
  parsed(html_report({}));
}

TEST(Html, EscapesWhatASubjectSends) {
  const std::string html = html_report(hostile_result());
  const auto document = parsed(html);
  EXPECT_TRUE(document.select_nodes("//script").empty());
  EXPECT_TRUE(document.select_nodes("//img").empty());
  EXPECT_TRUE(document.select_nodes("//*[starts-with(@href,'java')]").empty());
  EXPECT_THAT(html, HasSubstr("&lt;script&gt;alert(2)"));
  // A template inside a text is text.
  EXPECT_THAT(html, HasSubstr("{{seed}}"));
}

TEST(Html, LoadsNothing) {
  const std::string html = html_report(sample_result());
  const auto document = parsed(html);
  for (const char* query : {"//script", "//link", "//img", "//iframe",
                            "//*[@src]", "//*[@srcset]", "//object"}) {
    EXPECT_TRUE(document.select_nodes(query).empty()) << query;
  }
  const std::string style = document.select_node("//style").node().text().get();
  EXPECT_THAT(style, Not(HasSubstr("url(")));
  EXPECT_THAT(style, Not(HasSubstr("@import")));
  EXPECT_THAT(html, HasSubstr("default-src 'none'"));
}

TEST(Html, HasLightDarkNarrowAndPrintStyles) {
  const std::string html = html_report(sample_result());
  EXPECT_THAT(html, HasSubstr("prefers-color-scheme: dark"));
  EXPECT_THAT(html, HasSubstr("color-scheme: light dark"));
  EXPECT_THAT(html, HasSubstr("max-width: 34rem"));
  EXPECT_THAT(html, HasSubstr("@media print"));
}

// Every finding has one place on the page, and every link leads to one.
TEST(Html, ShowsEveryFindingOnce) {
  const auto result = sample_result();
  const auto document = parsed(html_report(result));
  std::multiset<std::string> anchors;
  for (const auto& node : document.select_nodes("//*[@id]")) {
    anchors.insert(node.node().attribute("id").value());
  }
  for (std::size_t i = 1; i <= result.findings.size(); ++i) {
    EXPECT_EQ(anchors.count("f" + std::to_string(i)), 1U) << i;
  }
  for (const auto& node :
       document.select_nodes("//a[starts-with(@href,'#')]")) {
    const std::string target = node.node().attribute("href").value() + 1;
    EXPECT_EQ(anchors.count(target), 1U) << target;
  }
}

TEST(Html, TellsTheWorstFirst) {
  const auto document = parsed(html_report(sample_result()));
  const std::string first =
      document.select_node("//article").node().attribute("class").value();
  EXPECT_EQ(first, "card v-error");
}

TEST(Html, DrawsNothingThatIsNotFinite) {
  auto result = certified_result(2);
  for (auto& finding : result.findings) {
    finding.verdict = properties::Verdict::kRefuted;
    finding.observed = std::numeric_limits<double>::quiet_NaN();
    finding.interval_upper = std::numeric_limits<double>::infinity();
  }
  const std::string html = html_report(result);
  EXPECT_FALSE(std::regex_search(html, std::regex(R"(="-?(nan|inf)%?")")));
}

TEST(Html, StaysBelowFiveMegabytesForFifteenHundredFindings) {
  EXPECT_LT(html_report(certified_result(1500)).size(), 5'000'000U);
}

}  // namespace
}  // namespace dropcheck::reports
