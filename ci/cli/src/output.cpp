#include "dropcheck/cli/output.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "dropcheck/reports/atomic_write.hpp"

namespace dropcheck::cli {

void print(std::string_view text) {
  const std::size_t written = std::fwrite(text.data(), 1, text.size(), stdout);
  const bool good = written == text.size() && std::fflush(stdout) == 0;
  if (good || errno == EPIPE) return;
  throw EnvironmentError(std::string("cannot write to standard output: ") +
                         std::strerror(errno));
}

void write_report(const std::string& path, std::string_view text) {
  if (path == kStandardOutput) return print(text);
  reports::atomic_write(path, text);
}

void print_beside(bool report_on_standard_output, std::string_view text) {
  if (!report_on_standard_output) return print(text);
  std::fwrite(text.data(), 1, text.size(), stderr);
}

void complain(std::string_view message) {
  const std::string line = "dropcheck: " + on_one_line(message) + '\n';
  std::fwrite(line.data(), 1, line.size(), stderr);
}

std::string on_one_line(std::string_view text) {
  std::string line(text);
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = ' ';
  }
  return line.substr(0, line.find_last_not_of(' ') + 1);
}

}  // namespace dropcheck::cli
