#pragma once

#include <string_view>

namespace dropcheck::reports {

/// Whether all of `text` matches: * is any run, ? any one character; every
/// other character, brackets too, stands for itself.
bool glob_matches(std::string_view glob, std::string_view text);

}  // namespace dropcheck::reports
