#pragma once

#include <cstddef>
#include <string>

namespace dropcheck::cli {

/// Help is laid out for a terminal of the usual size; what options do begins in
/// this column.
inline constexpr std::size_t kHelpWidth = 80;
inline constexpr std::size_t kHelpColumn = 32;

/// Breaks lines at the width of help; text of the second column stays there.
std::string within_width(const std::string& help);

}  // namespace dropcheck::cli
