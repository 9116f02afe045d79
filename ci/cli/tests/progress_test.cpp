// A scripted clock: what is written depends on time and kind of output only.
#include "dropcheck/cli/progress.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace dropcheck::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ProgressTest : public ::testing::Test {
 protected:
  ProgressLine line(bool live, int width = 80) {
    return ProgressLine(out, {live, width, [this] { return now; }});
  }
  void wait(std::chrono::milliseconds time) { now += time; }

  ProgressLine::Clock::time_point now{};
  std::ostringstream out;
};

TEST_F(ProgressTest, WritesOnePlainLineEvery30Seconds) {
  ProgressLine progress = line(false);
  progress.update(0, 10, "dropout");
  EXPECT_EQ(out.str(), "");
  wait(std::chrono::seconds(31));
  progress.update(3, 10, "dropout");
  progress.update(4, 10, "dropout");
  progress.finish();
  EXPECT_EQ(out.str(), " 30 %  3/10  31 s  dropout\n");
}

TEST_F(ProgressTest, RewritesALiveLineAtMostTenTimesASecond) {
  ProgressLine progress = line(true);
  progress.update(1, 4, "a");
  progress.update(2, 4, "b");
  EXPECT_THAT(out.str(), Not(HasSubstr("2/4")));
  wait(std::chrono::milliseconds(150));
  progress.update(3, 4, "c");
  EXPECT_THAT(out.str(), HasSubstr("75 %  3/4"));
  EXPECT_THAT(out.str(), Not(HasSubstr("\n")));
  progress.finish();
  EXPECT_TRUE(out.str().ends_with("\r\x1b[K"));
}

TEST_F(ProgressTest, CutsALineThatIsTooLong) {
  ProgressLine progress = line(true, 40);
  progress.update(1, 4, std::string(100, 'x'));
  EXPECT_EQ(out.str().size(), std::string("\r\x1b[K").size() + 39);
}

TEST_F(ProgressTest, SurvivesATotalOfZero) {
  ProgressLine progress = line(true);
  progress.update(0, 0, "nothing");
  EXPECT_THAT(out.str(), HasSubstr("100 %"));
}

}  // namespace
}  // namespace dropcheck::cli
