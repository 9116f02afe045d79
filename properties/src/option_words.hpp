#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace dropcheck::properties {

/// What a sentence ends with where a subject would be right if it declared an
/// option of impl::LawOptions, e.g. "at_one = error": "; correct if the subject
/// declares option `at_one = error`". Empty names are left out; with none of
/// them the result is empty.
std::string needs_option(std::initializer_list<std::string_view> options);

}  // namespace dropcheck::properties
