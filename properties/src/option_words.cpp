#include "option_words.hpp"

#include <fmt/format.h>

namespace dropcheck::properties {

std::string needs_option(std::initializer_list<std::string_view> options) {
  std::string names;
  for (const std::string_view option : options) {
    if (option.empty()) continue;
    names += fmt::format("{}`{}`", names.empty() ? "" : " and ", option);
  }
  if (names.empty()) return {};
  return "; correct if the subject declares option " + names;
}

}  // namespace dropcheck::properties
