#include "dropcheck/cli/lifetime_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace dropcheck::cli {
namespace {

using ::testing::HasSubstr;

class LifetimeFile : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ =
        std::filesystem::path(::testing::TempDir()) /
        (std::string(
             ::testing::UnitTest::GetInstance()->current_test_info()->name()) +
         ".json");
    std::filesystem::remove(path_);
  }

  void write(const std::string& text) const { std::ofstream(path_) << text; }

  std::string text() const {
    std::ostringstream all;
    all << std::ifstream(path_).rdbuf();
    return all.str();
  }

  void edit(const std::string& from, const std::string& to) const {
    std::string all = text();
    const std::size_t at = all.find(from);
    ASSERT_NE(at, std::string::npos) << all;
    write(all.replace(at, from.size(), to));
  }

  std::string complaint() const {
    try {
      read_lifetimes(path_);
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "";
  }

  static stats::Lifetime lifetime() {
    stats::Lifetime lifetime =
        stats::begin_lifetime({.subject = "torch:F.dropout 1.13",
                               .build = "",
                               .device = "cpu",
                               .configuration = "dropout p=0.1,f32,241x271",
                               .p0 = .1,
                               .kappa = 9.9e10,
                               .declared = {.1 - 0x1p-24, .1 + 0x1p-24}});
    stats::begin_night(lifetime, 18446744073709551615U);
    stats::record_night(lifetime, {1, 9007199254740993});
    stats::end_night(lifetime);
    stats::begin_night(lifetime, 3);
    stats::record_night(lifetime, {2, 30});
    return lifetime;
  }

  std::filesystem::path path_;
};

TEST_F(LifetimeFile, BeginsWithNothing) {
  EXPECT_TRUE(read_lifetimes(path_).empty());
}

TEST_F(LifetimeFile, CarriesEveryFieldExactly) {
  write_lifetimes(path_, {lifetime(), lifetime()});
  const auto read = read_lifetimes(path_);
  ASSERT_EQ(read.size(), 2);
  const stats::Lifetime due = lifetime();
  const stats::Lifetime& found = read[1];
  EXPECT_TRUE(stats::continues(found, due.terms));
  EXPECT_EQ(found.counts, due.counts);
  EXPECT_EQ(found.seeds, due.seeds);
  EXPECT_EQ(found.open, due.open);
  EXPECT_EQ(found.open_counts, due.open_counts);
  EXPECT_EQ(found.killed, due.killed);
}

TEST_F(LifetimeFile, RefusesWhatWasEdited) {
  write_lifetimes(path_, {lifetime()});
  edit("99000000000.0", "99000000001.0");
  EXPECT_THAT(complaint(), HasSubstr("fingerprint"));
  write_lifetimes(path_, {lifetime()});
  edit("\"drops\": 1,", "\"drops\": 9007199254740994,");
  EXPECT_THAT(complaint(), HasSubstr("drops is 9007199254740994"));
}

TEST_F(LifetimeFile, RefusesNumbersThatAreNotWhole) {
  const std::vector<std::pair<std::string, std::string>> edits{
      {"\"n\": 9007199254740993", "\"n\": 9007199254740993.5"},
      {"\"drops\": 1,", "\"drops\": -1,"},
      {"18446744073709551615", "7664450040664450040058699449"},
      {"18446744073709551615", "\"1\""},
      {"\"killed\": 0", "\"killed\": 1e300"},
      {"\"open\": 3", "\"open\": null"}};
  for (const auto& [from, to] : edits) {
    write_lifetimes(path_, {lifetime()});
    edit(from, to);
    EXPECT_THAT(complaint(), HasSubstr("must be a whole number")) << to;
  }
  write_lifetimes(path_, {lifetime()});
  edit("\"seeds\": [", "\"seeds\": 5, \"others\": [");
  EXPECT_THAT(complaint(), HasSubstr("must be array"));
}

TEST_F(LifetimeFile, RefusesWhatIsNone) {
  write("{");
  EXPECT_THAT(complaint(), HasSubstr(path_.string()));
  write("[]");
  EXPECT_THAT(complaint(), HasSubstr("cannot read"));
  write(R"({"schema": "other", "lifetimes": []})");
  EXPECT_THAT(complaint(), HasSubstr("schema is 'other'"));
  write(R"({"schema": "dropcheck-lifetime/1", "lifetimes": [{}]})");
  EXPECT_THAT(complaint(), HasSubstr("terms"));
}

}  // namespace
}  // namespace dropcheck::cli
