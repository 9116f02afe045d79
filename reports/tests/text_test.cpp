// Text of a subject is untrusted bytes: what passes must be legal where it
// stands, and what is legal must pass unchanged.
#include "text.hpp"

#include <gmock/gmock.h>

#include <limits>

namespace dropcheck::reports {
namespace {

using testing::ElementsAre;

TEST(Text, KeepsEveryLegalCharacter) {
  const std::string legal = "a\t\n\u00e9 \u2713 \U0001F600 \uFFFD";
  EXPECT_EQ(valid_utf8(legal), legal);
  EXPECT_EQ(xml_text(legal), legal);
}

// Overlong forms, surrogates, values above the last code point, cut ends.
TEST(Text, ReplacesWhatIsNotUtf8) {
  for (const char* bytes : {"\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80",
                            "\xE2\x9C", "\xFF", "\x80"}) {
    const std::string text = valid_utf8(bytes);
    EXPECT_TRUE(text.starts_with("\uFFFD")) << text;
    EXPECT_EQ(valid_utf8(text), text);
  }
}

TEST(Text, RemovesWhatXmlForbids) {
  EXPECT_EQ(xml_text(std::string_view("a\0b\x01\x1b\x0c"
                                      "c",
                                      7)),
            "abc");
  EXPECT_EQ(xml_text("\xEF\xBF\xBE\xEF\xBF\xBF"), "");
}

TEST(Text, KeepsATerminalOnItsLine) {
  EXPECT_EQ(one_line("a\r\nb\x1b[2Jc\xC2\x9B\xE2\x80\xAE"), "a  b[2Jc");
}

TEST(Text, WrapsAndBreaksLongWords) {
  EXPECT_THAT(wrapped("one two  three", 7), ElementsAre("one two", "three"));
  EXPECT_THAT(wrapped("abcdefgh i", 3), ElementsAre("abc", "def", "gh", "i"));
  EXPECT_THAT(wrapped("✓✓✓✓", 2), ElementsAre("✓✓", "✓✓"));
  EXPECT_THAT(wrapped("", 5), ElementsAre());
}

TEST(Text, KeepsPartsTogetherWhereItCan) {
  EXPECT_THAT(flowed({"n = 1", "e = 2", "long one"}, ", ", 12),
              ElementsAre("n = 1,", "e = 2,", "long one"));
  EXPECT_THAT(flowed({"n = 1", "e = 2"}, ", ", 14),
              ElementsAre("n = 1, e = 2"));
  EXPECT_THAT(flowed({"abcdef"}, ", ", 4), ElementsAre("abcd", "ef"));
}

TEST(Text, QuotesForAShellWhereItMust) {
  EXPECT_EQ(shell_word("v1:a=b,c"), "v1:a=b,c");
  EXPECT_EQ(shell_word("it's $x"), "'it'\\''s $x'");
  EXPECT_EQ(shell_word(""), "''");
}

TEST(Text, WritesNumbersAsPeopleDo) {
  EXPECT_EQ(number(1e-9), "1e-9");
  EXPECT_EQ(number(5.4e-107), "5.4e-107");
  EXPECT_EQ(number(1048576), "1048576");
  EXPECT_EQ(number(1e20), "1e20");
  EXPECT_EQ(number(0.099613), "0.099613");
  EXPECT_EQ(number(-0.0), "0");
  EXPECT_EQ(number(std::numeric_limits<double>::quiet_NaN()), "not a number");
  EXPECT_EQ(number(-std::numeric_limits<double>::infinity()), "-infinity");
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1048576), "1,048,576");
}

}  // namespace
}  // namespace dropcheck::reports
