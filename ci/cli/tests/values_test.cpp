// Every refusal must name option, value and rule: it is all that a CI log
// shows. NaN must fail everywhere.
#include "dropcheck/cli/values.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dropcheck/cli/time_text.hpp"
#include "dropcheck/cli/usage_error.hpp"

namespace dropcheck::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

template <class Parse>
void expect_refused(Parse parse, const std::string& text) {
  try {
    parse({"--option", text});
    ADD_FAILURE() << "'" << text << "' was taken";
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(),
                AllOf(HasSubstr("--option is '" + text + "'"),
                      HasSubstr("must be"), Not(HasSubstr("\n"))));
  }
}

TEST(Probability, TakesTheClosedUnitInterval) {
  EXPECT_EQ(parse_probability({"--p", "0.1"}), 0.1);
  EXPECT_EQ(parse_probability({"--p", ".5"}), 0.5);
  EXPECT_EQ(parse_probability({"--p", "0"}), 0);
  EXPECT_EQ(parse_probability({"--p", "1"}), 1);
  EXPECT_EQ(parse_probability({"--p", "1e-3"}), 1e-3);
}

TEST(Count, TakesWholeNumbersUpToAMillion) {
  EXPECT_EQ(parse_count({"--generated", "0"}), 0U);
  EXPECT_EQ(parse_count({"--generated", "1000000"}), 1000000U);
  for (const char* text : {"", "-1", "1.5", "1000001", "many", "nan"}) {
    expect_refused(parse_count, text);
  }
}

TEST(Limit, TakesATimeOr0ForNone) {
  EXPECT_EQ(parse_limit({"--shrink-limit", "0"}), 0);
  EXPECT_EQ(parse_limit({"--shrink-limit", "1.5m"}), 90);
  for (const char* text : {"", "-1", "0s", "nan", "soon"}) {
    expect_refused(parse_limit, text);
  }
}

TEST(Probability, RefusesTheRest) {
  for (const char* text : {"1.5", "-0.1", "nan", "inf", "", "x", "0.1x", " 0.1",
                           "1e", "0,1", "--p"}) {
    expect_refused(parse_probability, text);
  }
}

TEST(Small, RefusesWhatIsNotBetweenZeroAndAHalf) {
  EXPECT_EQ(parse_small({"--alpha", "1e-9"}), 1e-9);
  for (const char* text : {"0", "0.5", "1", "-1e-9", "nan", "", "1e-9000"}) {
    expect_refused(parse_small, text);
  }
}

TEST(Threads, RefusesWhatIsNotBetween1And4096) {
  EXPECT_EQ(parse_threads({"--threads", "1"}), 1u);
  EXPECT_EQ(parse_threads({"--threads", "4096"}), 4096u);
  for (const char* text :
       {"0", "4097", "-1", "2.5", "", "all", "99999999999999999999"}) {
    expect_refused(parse_threads, text);
  }
}

TEST(Seed, TakesAllOf64Bits) {
  EXPECT_EQ(parse_seed({"--seed", "0"}), 0u);
  EXPECT_EQ(parse_seed({"--seed", "18446744073709551615"}), ~std::uint64_t{0});
  EXPECT_EQ(parse_seed({"--seed", "0xfF"}), 255u);
  for (const char* text :
       {"18446744073709551616", "-1", "0x", "1.0", "", "randon"}) {
    expect_refused(parse_seed, text);
  }
}

TEST(Seconds, TakesUnits) {
  EXPECT_EQ(parse_seconds({"--time-limit", "90"}), 90);
  EXPECT_EQ(parse_seconds({"--time-limit", "90s"}), 90);
  EXPECT_EQ(parse_seconds({"--time-limit", "4m"}), 240);
  EXPECT_EQ(parse_seconds({"--time-limit", "4min"}), 240);
  EXPECT_EQ(parse_seconds({"--time-limit", "1.5h"}), 5400);
  EXPECT_EQ(parse_seconds({"--time-limit", "500ms"}), 0.5);
  for (const char* text : {"0", "-1", "4q", "m", "", "nan", "inf", "1e400",
                           "99999999999", "4m30s"}) {
    expect_refused(parse_seconds, text);
  }
}

TEST(Shape, TakesCrossesAndCommas) {
  EXPECT_EQ(parse_shape({"--shape", "64x256x2x2"}),
            (impl::Shape{64, 256, 2, 2}));
  EXPECT_EQ(parse_shape({"--shape", "64,256"}), (impl::Shape{64, 256}));
  EXPECT_EQ(parse_shape({"--shape", "7"}), (impl::Shape{7}));
}

TEST(Shape, RefusesEmptyNegativeHugeAndGarbage) {
  for (const char* text :
       {"0", "64x0x2", "-1", "4x-4", "", "x", "4x", "x4", "4xx4", "4x4,4",
        "abc", "4x4.0", "9223372036854775808", "1099511627777",
        "1048576x1048577", "1x1x1x1x1x1x1x1x1"}) {
    expect_refused(parse_shape, text);
  }
}

TEST(Date, IsADayOfTheCalendar) {
  using namespace std::chrono_literals;
  EXPECT_EQ(parse_date({"--expires", "2028-02-29"}), 2028y / 2 / 29);
  for (const char* text :
       {"", "2027-02-29", "2027-13-01", "27-01-01", "2027/01/01", "2027-1-1",
        "2027-01-01x", "+027-01-01"}) {
    expect_refused(parse_date, text);
  }
}

TEST(Dtype, SuggestsTheNearName) {
  EXPECT_EQ(parse_dtype({"--dtype", "bf16"}), impl::DType::kBFloat16);
  for (const char* text : {"", "float", "f8"}) {
    expect_refused(parse_dtype, text);
  }
  try {
    parse_dtype({"--dtype", "bf61"});
    ADD_FAILURE();
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("did you mean 'bf16'?"));
  }
}

TEST(TimeText, IsShortAndNeverShowsSixtySeconds) {
  EXPECT_EQ(time_text(0.42), "0.4 s");
  EXPECT_EQ(time_text(9.97), "10 s");
  EXPECT_EQ(time_text(59.4), "59 s");
  EXPECT_EQ(time_text(59.6), "1 min 00 s");
  EXPECT_EQ(time_text(245), "4 min 05 s");
  EXPECT_EQ(time_text(7380), "2 h 03 min");
  EXPECT_EQ(time_text(86400 * 3 + 3600 * 4), "3 d 4 h");
  EXPECT_EQ(time_text(-1), "an unknown time");
  EXPECT_EQ(time_text(std::numeric_limits<double>::quiet_NaN()),
            "an unknown time");
}

TEST(UtcNow, IsIso8601) {
  EXPECT_THAT(utc_now(), ::testing::MatchesRegex(
                             "[0-9]+-[0-9]+-[0-9]+T[0-9]+:[0-9]+:[0-9]+Z"));
  EXPECT_TRUE(utc_today().ok());
}

}  // namespace
}  // namespace dropcheck::cli
