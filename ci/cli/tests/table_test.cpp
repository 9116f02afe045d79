// Columns must line up for every reader, UTF-8 included.
#include "dropcheck/cli/table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dropcheck::cli {
namespace {

using ::testing::ElementsAre;

TEST(Table, AlignsColumnsAndWrapsTheLast) {
  Table table({"name", "what"});
  table.add({"a", "one two three four five six seven"});
  table.add({"long name", ""});
  EXPECT_EQ(table.text(36),
            "name       what\n"
            "a          one two three four five\n"
            "           six seven\n"
            "long name\n");
}

TEST(Table, PutsTheLastColumnBelowWhereThereIsNoRoom) {
  Table table({"a rather long name", "what"});
  table.add({"one", "two three four five six seven"});
  table.add({"eight", ""});
  EXPECT_EQ(table.text(30),
            "a rather long name\n"
            "    what\n"
            "one\n"
            "    two three four five six\n"
            "    seven\n"
            "eight\n");
}

TEST(Table, CountsColumnsAndNotBytes) {
  Table table({"n", "x"});
  table.add({"\xc3\xa9", "1"});
  EXPECT_EQ(table.text(), "n  x\n\xc3\xa9  1\n");
}

TEST(Wrapped, KeepsAWordThatIsTooLong) {
  EXPECT_THAT(wrapped("a incomprehensibilities b", 5),
              ElementsAre("a", "incomprehensibilities", "b"));
}

}  // namespace
}  // namespace dropcheck::cli
