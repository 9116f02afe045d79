#pragma once

#include <string>

namespace dropcheck::properties {

/// Whether all of `text` matches `pattern`, in which * stands for any run of
/// characters and ? for one. Every other character, brackets too, stands for
/// itself, because identifiers of findings have brackets.
bool glob_matches(const std::string& pattern, const std::string& text);

}  // namespace dropcheck::properties
