// The JSON must carry every field there and back, and refuse what it cannot.
#include "dropcheck/reports/json.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <filesystem>
#include <limits>

#include "sample_result.hpp"

namespace dropcheck::reports {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

std::string refusal(const json& document) {
  try {
    from_json(document);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Json, KeepsEveryFieldThereAndBack) {
  const json first = to_json(sample_result());
  EXPECT_EQ(to_json(from_json(first)), first);
  EXPECT_EQ(to_json(from_json(json::parse(first.dump()))), first);
}

TEST(Json, KeepsWhatNumbersCannotHold) {
  auto result = sample_result();
  result.seed = std::numeric_limits<std::uint64_t>::max();
  result.findings[0].n = result.seed;
  const auto back = from_json(json::parse(to_json(result).dump()));
  EXPECT_EQ(back.seed, result.seed);
  EXPECT_EQ(back.findings[0].n, result.seed);
  EXPECT_TRUE(to_json(result)["seed"].is_string());
}

TEST(Json, KeepsOptionalsApartFromZero) {
  auto result = certified_result(2);
  result.findings[0].observed = 0;
  result.findings[1].observed = std::nullopt;
  const auto back = from_json(to_json(result));
  EXPECT_EQ(back.findings[0].observed, 0);
  EXPECT_EQ(back.findings[1].observed, std::nullopt);
}

// A number that is not finite is null: present, but no number.
TEST(Json, HasNoInfinityAndNoNan) {
  auto result = certified_result(1);
  result.log10_run_e = -std::numeric_limits<double>::infinity();
  result.findings[0].observed = std::numeric_limits<double>::quiet_NaN();
  result.findings[0].diagnostics[0].statistic =
      std::numeric_limits<double>::infinity();
  const json document = to_json(result);
  EXPECT_TRUE(document["log10_run_e"].is_null());
  EXPECT_TRUE(document["findings"][0]["observed"].is_null());
  const auto back = from_json(json::parse(document.dump()));
  EXPECT_TRUE(std::isnan(back.findings[0].observed.value()));
  EXPECT_EQ(to_json(back), document);
}

TEST(Json, CanBeWrittenWhateverBytesASubjectSends) {
  EXPECT_NO_THROW(to_json(hostile_result()).dump());
}

TEST(Json, NamesTheFieldThatItRefuses) {
  const json good = to_json(sample_result());
  json wrong = good;
  wrong["findings"][3]["verdict"] = "passed";
  EXPECT_THAT(refusal(wrong),
              AllOf(HasSubstr("findings[3].verdict"), HasSubstr("passed")));
  wrong = good;
  wrong["findings"][2].erase("sentence");
  EXPECT_EQ(refusal(wrong), "findings[2].sentence is missing");
  wrong = good;
  wrong["seed"] = "18446744073709551616";
  EXPECT_THAT(refusal(wrong), HasSubstr("seed is"));
  wrong = good;
  wrong["findings"][0]["n"] = -1;
  EXPECT_THAT(refusal(wrong), HasSubstr("findings[0].n must be a whole"));
  wrong = good;
  wrong["schema"] = "dropcheck-result/2";
  EXPECT_THAT(refusal(wrong), HasSubstr("dropcheck-result/1"));
  EXPECT_EQ(refusal(json::array()), "the result must be an object");
}

TEST(Json, NamesTheFileThatItCannotRead) {
  try {
    read_json("/nowhere/result.json");
    FAIL() << "read a file that is not there";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("/nowhere/result.json"));
  }
}

}  // namespace
}  // namespace dropcheck::reports
