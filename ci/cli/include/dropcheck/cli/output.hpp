#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace dropcheck::cli {

/// Something around the program broke: exit status 4.
struct EnvironmentError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Writes to standard output at once. A reader that has gone away is no error;
/// anything else throws EnvironmentError.
void print(std::string_view text);

/// The path of a report that goes to standard output.
inline constexpr std::string_view kStandardOutput = "-";

/// Writes a report to its path, or to standard output. Throws
/// std::runtime_error where that fails.
void write_report(const std::string& path, std::string_view text);

/// Writes what is for people: to standard error where a report has standard
/// output for itself.
void print_beside(bool report_on_standard_output, std::string_view text);

/// Writes "dropcheck: MESSAGE" to standard error, on one line.
void complain(std::string_view message);

/// `text` with line breaks and other control characters turned into blanks.
std::string on_one_line(std::string_view text);

}  // namespace dropcheck::cli
