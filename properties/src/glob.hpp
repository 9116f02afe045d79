#pragma once

#include <string_view>

namespace dropcheck::properties {

/// Whether `text` matches `pattern`, where * stands for any characters and ?
/// for one. Everything else, brackets too, stands for itself.
bool glob_matches(std::string_view pattern, std::string_view text);

}  // namespace dropcheck::properties
