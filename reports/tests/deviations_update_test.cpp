// A file is brought up to date without touching what a person wrote in it.
#include <gmock/gmock.h>

#include "dropcheck/reports/deviations.hpp"
#include "sample_result.hpp"

namespace dropcheck::reports {
namespace {

using namespace std::chrono_literals;
using properties::RunResult;
using properties::Verdict;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr auto kToday = 2026y / 6 / 15;

constexpr const char* kFile =
    R"(# What we know.

# The rate is off.
[[deviation]]
id = "dropout.drop_rate[*]"
reason = "draws 8 bits"
url = "https://example.org/1"
largest_effect = 2e-3  # measured in May

# Another matter.
[[deviation]]
id = "dropout.seeding[*]"
reason = "32 bits of seed"
url = "https://example.org/2"
)";

RunResult findings(Verdict rate, Verdict seeding) {
  RunResult result = certified_result(2);
  auto& first = result.findings[0];
  first.layer = "dropout";
  first.check = "drop_rate";
  first.id = "dropout.drop_rate[p=0.1,f32,8]";
  first.verdict = rate;
  first.sentence = "drop rate is 0.1016, not 0.1";
  first.expected = 0.1;
  first.observed = 0.1016;
  first.interval_lower = 0.1012;
  first.interval_upper = 0.1019;
  auto& second = result.findings[1];
  second.layer = "dropout";
  second.check = "seeding";
  second.id = "dropout.seeding[p=0.1,f32,8]";
  second.verdict = seeding;
  second.sentence = "different seeds give the \"same\" mask";
  second.expected.reset();
  second.observed.reset();
  second.interval_lower.reset();
  second.interval_upper.reset();
  return result;
}

DeviationsUpdate updated(const std::string& text, RunResult result,
                         const Declaration& declaration = {}) {
  const auto entries = parse_deviations(text, "known.toml");
  const auto fates = apply_deviations(result, entries, kToday);
  return update_deviations(text, entries, fates, result, declaration);
}

// What the new file says of the same run.
RunResult judged(const std::string& text, RunResult result) {
  apply_deviations(result, parse_deviations(text, "new.toml"), kToday);
  return result;
}

TEST(DeviationsUpdate, LeavesWhatIsRightAsItIs) {
  const auto update =
      updated(kFile, findings(Verdict::kRefuted, Verdict::kRefuted));
  EXPECT_EQ(update.text, kFile);
  EXPECT_THAT(update.added, IsEmpty());
  EXPECT_THAT(update.removed, IsEmpty());
}

TEST(DeviationsUpdate, RemovesWhatIsGoneWithItsComment) {
  const auto update =
      updated(kFile, findings(Verdict::kRefuted, Verdict::kCertified));
  EXPECT_THAT(update.removed, ElementsAre(HasSubstr("seeding")));
  EXPECT_THAT(update.text, Not(HasSubstr("Another matter")));
  EXPECT_THAT(update.text, HasSubstr("# What we know."));
  EXPECT_THAT(update.text, HasSubstr("# The rate is off."));
  EXPECT_THAT(update.text, HasSubstr("# measured in May"));
  EXPECT_EQ(parse_deviations(update.text, "new").size(), 1u);
}

TEST(DeviationsUpdate, RaisesWhatHasGrown) {
  auto result = findings(Verdict::kRefuted, Verdict::kRefuted);
  result.findings[0].observed = 0.1234;
  result.findings[0].interval_upper = 0.1237;
  const auto update = updated(kFile, result);
  EXPECT_THAT(update.raised, ElementsAre(HasSubstr("0.024 instead of 0.002")));
  EXPECT_THAT(update.text,
              HasSubstr("largest_effect = 0.024  # measured in May"));
  EXPECT_THAT(judged(update.text, result).deviation_problems, IsEmpty());
}

TEST(DeviationsUpdate, AddsWhatIsNotDeclared) {
  const auto result = findings(Verdict::kRefuted, Verdict::kRefuted);
  const auto update = updated("# New.\n", result,
                              {.url = "https://example.org/3",
                               .reason = "",
                               .expires = 2027y / 1 / 31});
  EXPECT_EQ(update.added.size(), 2u);
  const auto entries = parse_deviations(update.text, "new");
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].id, "dropout.drop_rate[*]");
  EXPECT_EQ(entries[0].largest_effect, 1.9e-3);
  EXPECT_EQ(entries[0].expires, 2027y / 1 / 31);
  EXPECT_EQ(entries[1].reason, "different seeds give the \"same\" mask");
  const auto now = judged(update.text, result);
  EXPECT_EQ(now.findings[0].verdict, Verdict::kDeviation);
  EXPECT_EQ(now.findings[1].verdict, Verdict::kDeviation);
  EXPECT_THAT(now.deviation_problems, IsEmpty());
}

// A glob would excuse what is right.
TEST(DeviationsUpdate, NamesOneCaseWhereOthersAreRight) {
  auto result = findings(Verdict::kRefuted, Verdict::kCertified);
  result.findings[1] = result.findings[0];
  result.findings[1].id = "dropout.drop_rate[p=0.5,f32,8]";
  result.findings[1].verdict = Verdict::kCertified;
  const auto update = updated("", result, {.url = "https://x.org"});
  const auto entries = parse_deviations(update.text, "new");
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].id, "dropout.drop_rate[p=0.1,f32,8]");
}

TEST(DeviationsUpdate, NeedsAnAddressForWhatItAdds) {
  const auto result = findings(Verdict::kRefuted, Verdict::kCertified);
  EXPECT_THROW(updated("", result), std::invalid_argument);
  EXPECT_THROW(updated("", result, {.url = "see mail"}), std::invalid_argument);
}

TEST(DeviationsUpdate, RefusesEntriesThatItCannotEdit) {
  const auto result = findings(Verdict::kCertified, Verdict::kCertified);
  EXPECT_THROW(updated("deviation = [{id = \"dropout.seeding[*]\", reason = "
                       "\"r\", url = \"http://x\"}]\n",
                       result),
               std::invalid_argument);
}

// Found by fuzzing.
TEST(DeviationsUpdate, IsNotMisledByTheLinesOfAString) {
  const std::string head = "[[deviation]]\nid = \"dropout.seeding[*]\"\n";
  const std::string rest =
      "url = \"http://x\"\n\n[[deviation]]\nid = \"b\"\nsubject = \"c\"\n"
      "reason = \"d\"\nurl = \"http://x\"\n";
  const auto result = findings(Verdict::kCertified, Verdict::kCertified);
  const auto update = updated(
      head + "reason = \"\"\"x\n[[deviation]]\n\"\"\"\n" + rest, result);
  EXPECT_EQ(update.removed.size(), 1u);
  EXPECT_EQ(parse_deviations(update.text, "new").size(), 1u);
  EXPECT_THROW(updated("[[deviation]]\nid = \"b\"\nsubject = \"c\"\nurl = "
                       "\"http://x\"\nreason = \"\"\"\n# \"\"\"\n" +
                           head + "reason = \"r\"\nurl = \"http://x\"\n",
                       result),
               std::invalid_argument);
}

TEST(DeviationsUpdate, NeverDeclaresACrash) {
  const auto result = findings(Verdict::kCrash, Verdict::kCertified);
  EXPECT_THAT(updated("", result).added, IsEmpty());
}

TEST(DeviationsUpdate, LeavesExpiredEntriesToAPerson) {
  const std::string text =
      "[[deviation]]\nid = \"dropout.seeding[*]\"\nreason = \"r\"\n"
      "url = \"http://x\"\nexpires = 2026-06-14\n";
  const auto update =
      updated(text, findings(Verdict::kCertified, Verdict::kCertified));
  EXPECT_EQ(update.text, text);
}

}  // namespace
}  // namespace dropcheck::reports
