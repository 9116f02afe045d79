// A deviation excuses a proof, so its file is read strictly.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "dropcheck/reports/deviations.hpp"

namespace dropcheck::reports {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;

std::vector<Deviation> read(const std::string& text) {
  const auto path =
      std::filesystem::path(testing::TempDir()) /
      (std::string(
           testing::UnitTest::GetInstance()->current_test_info()->name()) +
       ".toml");
  std::ofstream(path) << text;
  return read_deviations(path);
}

std::string refusal(const std::string& text) {
  try {
    read(text);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "accepted";
}

const std::string kEntry =
    "[[deviation]]\nid = \"a.b[*]\"\nreason = \"r\"\nurl = \"https://x\"\n";

TEST(DeviationsFile, ReadsEveryField) {
  const auto all = read(kEntry +
                        "subject = \"torch:*\"\n"
                        "verdict = \"inconclusive\"\n"
                        "largest_effect = 2e-3\n"
                        "expires = 2026-12-31\n" +
                        kEntry);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].id, "a.b[*]");
  EXPECT_EQ(all[0].subject, "torch:*");
  EXPECT_TRUE(all[0].inconclusive);
  EXPECT_EQ(all[0].largest_effect, 2e-3);
  EXPECT_EQ(all[0].expires, 2026y / 12 / 31);
  EXPECT_EQ(all[1].subject, "*");
  EXPECT_FALSE(all[1].inconclusive);
  EXPECT_FALSE(all[1].largest_effect || all[1].expires);
}

TEST(DeviationsFile, MayBeEmpty) { EXPECT_TRUE(read("# none\n").empty()); }

TEST(DeviationsFile, NamesFileLineFieldAndRule) {
  EXPECT_THAT(refusal("[[deviation]]\nid = \"a\"\n"),
              AllOf(HasSubstr(".toml:1: "), HasSubstr("reason is missing")));
  EXPECT_THAT(refusal(kEntry + "largest_efect = 1\n"),
              AllOf(HasSubstr(":5: largest_efect"), HasSubstr("not a field")));
  EXPECT_THAT(refusal(kEntry + "largest_effect = nan\n"),
              HasSubstr(":5: largest_effect must be a number"));
  EXPECT_THAT(refusal(kEntry + "expires = \"2026-12-31\"\n"),
              HasSubstr(":5: expires must be a date"));
  EXPECT_THAT(refusal(kEntry + "verdict = \"crash\"\n"),
              HasSubstr(":5: verdict is \"crash\""));
  EXPECT_THAT(refusal("[[deviation]]\nid = 3\n"),
              HasSubstr(":2: id must be a string"));
  EXPECT_THAT(refusal("[[deviation]]\nid = \"a\"\nreason = \"r\"\n"
                      "url = \"javascript:x\"\n"),
              HasSubstr(":4: url must start with http"));
  EXPECT_THAT(refusal("[[deviatoin]]\nid = \"a\"\n"),
              HasSubstr("deviatoin is unknown"));
  EXPECT_THAT(refusal("[deviation]\nid = \"a\"\n"), HasSubstr("[[deviation]]"));
  EXPECT_THAT(refusal("id = \n"), HasSubstr(".toml:1: "));
}

TEST(DeviationsFile, RefusesTwoEntriesForOneThing) {
  EXPECT_THAT(refusal(kEntry + "expires = 2030-01-01\n" + kEntry),
              AllOf(HasSubstr(":6: id"), HasSubstr("entry in line 1")));
  EXPECT_EQ(read(kEntry + kEntry + "subject = \"torch:*\"\n").size(), 2u);
}

TEST(DeviationsFile, NamesAFileThatIsNotThere) {
  try {
    read_deviations("/nowhere/d.toml");
    FAIL() << "read a file that is not there";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("/nowhere/d.toml"));
  }
}

}  // namespace
}  // namespace dropcheck::reports
