#include "dropcheck/properties/glob.hpp"

#include <fnmatch.h>

namespace dropcheck::properties {

bool glob_matches(const std::string& pattern, const std::string& text) {
  std::string escaped;
  for (const char c : pattern) {
    if (c == '[' || c == ']' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return fnmatch(escaped.c_str(), text.c_str(), 0) == 0;
}

}  // namespace dropcheck::properties
