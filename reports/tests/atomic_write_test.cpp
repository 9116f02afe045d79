// A report is there as a whole or not at all, and the reason is named.
#include "dropcheck/reports/atomic_write.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

namespace dropcheck::reports {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

class AtomicWrite : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "dropcheckXXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  void TearDown() override { fs::remove_all(folder_); }

  static std::string text_of(const fs::path& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }

  long files() const {
    return std::distance(fs::directory_iterator(folder_), {});
  }

  static std::string refusal(const fs::path& path) {
    std::string first = "accepted";
    try {
      check_writable(path);
    } catch (const std::runtime_error& error) {
      first = error.what();
    }
    EXPECT_THROW(atomic_write(path, "x"), std::runtime_error);
    return first;
  }

  fs::path folder_;
};

TEST_F(AtomicWrite, ReplacesTheOldTextAndLeavesNothingBeside) {
  const fs::path path = folder_ / "report.html";
  check_writable(path);
  EXPECT_EQ(files(), 0);
  atomic_write(path, "old");
  atomic_write(path, std::string(1 << 20, 'x'));
  EXPECT_EQ(text_of(path).size(), std::size_t{1} << 20);
  EXPECT_EQ(files(), 1);
}

TEST_F(AtomicWrite, GivesAReportTheRightsOfOtherFiles) {
  atomic_write(folder_ / "a", "text");
  std::ofstream(folder_ / "b") << "text";
  EXPECT_EQ(fs::status(folder_ / "a").permissions(),
            fs::status(folder_ / "b").permissions());
}

TEST_F(AtomicWrite, FollowsASymbolicLink) {
  fs::create_symlink(folder_ / "real", folder_ / "link");
  std::ofstream(folder_ / "real") << "old";
  atomic_write(folder_ / "link", "new");
  EXPECT_TRUE(fs::is_symlink(folder_ / "link"));
  EXPECT_EQ(text_of(folder_ / "real"), "new");
}

TEST_F(AtomicWrite, WritesToWhatIsNoFile) {
  EXPECT_NO_THROW(check_writable("/dev/null"));
  EXPECT_NO_THROW(atomic_write("/dev/null", "text"));
}

TEST_F(AtomicWrite, NamesPathAndReason) {
  EXPECT_THAT(refusal(folder_ / "none" / "a.json"),
              AllOf(HasSubstr("none/a.json"), HasSubstr("does not exist")));
  EXPECT_THAT(refusal(folder_), HasSubstr("is a directory"));
  std::ofstream(folder_ / "file") << "text";
  EXPECT_THAT(refusal(folder_ / "file" / "a.json"),
              HasSubstr("is not a directory"));
  if (::geteuid() != 0) {
    fs::permissions(folder_, fs::perms::owner_read | fs::perms::owner_exec);
    EXPECT_THAT(refusal(folder_ / "a.json"), HasSubstr("ermission"));
    fs::permissions(folder_, fs::perms::owner_all);
  }
}

}  // namespace
}  // namespace dropcheck::reports
