#include "dropcheck/cli/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>

namespace dropcheck::cli {
namespace {

std::string environment(const char* name) {
  const char* const value = std::getenv(name);
  return value ? value : "";
}

bool utf8_locale() {
  for (const char* const name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string value = environment(name);
    if (value.empty()) continue;
    return value.find("UTF-8") != std::string::npos ||
           value.find("utf8") != std::string::npos;
  }
  return false;
}

int window_width(int descriptor) {
  winsize size{};
  if (ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return std::clamp<int>(size.ws_col, 40, 200);
}

}  // namespace

Terminal terminal(int descriptor, bool no_color) {
  Terminal result;
  result.is_terminal = isatty(descriptor) == 1;
  result.unicode = utf8_locale();
  if (!result.is_terminal) return result;
  const std::string term = environment("TERM");
  result.rewrite = !term.empty() && term != "dumb";
  result.colour =
      result.rewrite && !no_color && environment("NO_COLOR").empty();
  result.width = window_width(descriptor);
  return result;
}

}  // namespace dropcheck::cli
