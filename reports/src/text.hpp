#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dropcheck::reports {

/// Bytes that are not UTF-8 become U+FFFD.
std::string valid_utf8(std::string_view text);

/// Valid UTF-8 without the characters that XML 1.0 forbids.
std::string xml_text(std::string_view text);

/// xml_text on one line, without any control character: for a terminal.
std::string one_line(std::string_view text);

/// Code points, which is columns for all that the reports print.
std::size_t columns_of(std::string_view text);

/// `text` with spaces behind it up to `columns`.
std::string padded(std::string text, std::size_t columns);

/// Lines of at most `columns`; a longer word is broken.
std::vector<std::string> wrapped(std::string_view text, std::size_t columns);

/// Lines of at most `columns` that break between parts only, where they can.
std::vector<std::string> flowed(const std::vector<std::string>& parts,
                                std::string_view separator,
                                std::size_t columns);

/// Six significant digits; words where the number is not finite.
std::string number(double value);
std::string number(const std::optional<double>& value);

/// A chance as people write it: "1e-9", "5.4e-7", "0.02".
std::string chance(double value);

/// Thousands in groups: "1,048,576".
std::string grouped(std::uint64_t value);

/// "1 finding", "2 findings".
std::string counted(std::uint64_t count, std::string_view noun);

std::string joined(const std::vector<std::string>& parts,
                   std::string_view separator);

/// With a capital first letter.
std::string capitalised(std::string word);

/// One word for a POSIX shell, quoted where it must be.
std::string shell_word(std::string_view text);

/// Whether `text` may become a link.
bool is_web_address(std::string_view text);

}  // namespace dropcheck::reports
