// The trial's record: letter by letter on the terminal, whole on the page, and
// as its schema says in JSON (validate_schema.py).
#include "dropcheck/reports/self_test.hpp"

#include <gmock/gmock.h>

#include <pugixml.hpp>
#include <sstream>

#include "golden.hpp"
#include "self_test_sample.hpp"
#include "text.hpp"

namespace dropcheck::reports {
namespace {

using self_test::SelfTestResult;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(SelfTestText, IsAsApproved) {
  expect_golden("self_test.txt", self_test_text(sample_self_test(), {}));
}

TEST(SelfTestText, FitsItsColumns) {
  for (const int width : {40, 80, 120}) {
    const std::string text = self_test_text(
        sample_self_test(), {.width = width, .unicode = width != 120});
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      EXPECT_LE(columns_of(line), static_cast<std::size_t>(width)) << line;
    }
  }
}

TEST(SelfTestText, SaysInOneLineThatAllIsRight) {
  SelfTestResult right = sample_self_test();
  right.failures.clear();
  EXPECT_THAT(self_test_text(right, {}), HasSubstr("All is as it must be."));
  EXPECT_THAT(self_test_text(sample_self_test(), {}),
              HasSubstr("3 things are not as they must be."));
}

pugi::xml_document parsed(const std::string& page) {
  pugi::xml_document document;
  const auto begin = page.find("<html");
  EXPECT_TRUE(document.load_string(page.substr(begin).c_str()));
  return document;
}

TEST(SelfTestPage, HasARowForEachWrongLayerAndAColumnForEachCheck) {
  const SelfTestResult result = sample_self_test();
  const pugi::xml_document page = parsed(self_test_html(result));
  const auto rows = page.select_nodes("//div[@class='kills']//tbody/tr");
  ASSERT_EQ(rows.size(), result.kills.size());
  for (const auto& row : rows) {
    EXPECT_EQ(row.node().select_nodes("td").size(), result.checks.size() + 2);
  }
  const auto marks = page.select_nodes("//td[@class='h named']");
  ASSERT_EQ(marks.size(), 2u);
  EXPECT_EQ(std::string(marks[0].node().attribute("data-check").value()),
            "drop_rate");
  EXPECT_EQ(page.select_nodes("//td[@class='h missed']").size(), 1u);
}

TEST(SelfTestPage, EscapesAndNeedsNothingElse) {
  const std::string page = self_test_html(sample_self_test());
  EXPECT_THAT(page, HasSubstr("one byte &amp; &lt;no more&gt;"));
  for (const char* outside : {"<script", "src=", "http://", "https://"}) {
    const auto at = page.find(outside);
    const bool is_namespace =
        at != std::string::npos &&
        page.compare(at, 28, "http://www.w3.org/1999/xhtml") == 0;
    EXPECT_TRUE(at == std::string::npos || is_namespace) << outside;
  }
}

TEST(SelfTestPage, ShowsWhatFailedAndLeavesOutWhatDidNotRun) {
  EXPECT_THAT(self_test_html(sample_self_test()),
              HasSubstr("faulty:missed must be refuted by drop_rate"));
  SelfTestResult only_kills = sample_self_test();
  only_kills.false_alarms = {};
  only_kills.powers.clear();
  only_kills.exactness.clear();
  const std::string page = self_test_html(only_kills);
  EXPECT_THAT(page, Not(HasSubstr("id=\"right\"")));
  EXPECT_THAT(page, Not(HasSubstr("id=\"power\"")));
  EXPECT_THAT(page, Not(HasSubstr("id=\"statistics\"")));
}

TEST(SelfTestJson, KeepsAllDigitsOfTheSeed) {
  const nlohmann::json json = to_json(sample_self_test());
  EXPECT_EQ(json["schema"], kSelfTestSchema);
  EXPECT_EQ(json["seed"], "18446744073709551615");
  EXPECT_EQ(json["right"], false);
  EXPECT_EQ(json["kills"].size(), 3u);
  EXPECT_EQ(json["false_alarms"]["offences"][0]["verdict"], "inconclusive");
}

}  // namespace
}  // namespace dropcheck::reports
