#include "help_text.hpp"

#include <sstream>

#include "dropcheck/cli/table.hpp"

namespace dropcheck::cli {

std::string within_width(const std::string& help) {
  std::string out;
  std::istringstream lines(help);
  for (std::string line; std::getline(lines, line);) {
    std::size_t indent = line.find_first_not_of(' ');
    if (columns(line) <= kHelpWidth || indent == std::string::npos) {
      out += line + '\n';
      continue;
    }
    const bool two = line.size() > kHelpColumn && line[kHelpColumn - 1] == ' ';
    if (two) indent = kHelpColumn;
    std::string front = line.substr(0, indent);
    for (const auto& part : wrapped(line.substr(indent), kHelpWidth - indent)) {
      out += front + part + '\n';
      front.assign(indent, ' ');
    }
  }
  return out;
}

}  // namespace dropcheck::cli
