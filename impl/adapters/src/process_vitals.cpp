#include "process_vitals.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

namespace dropcheck::impl::adapters {
namespace {

std::uint64_t page_size() {
  return static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

Vitals own_vitals(pid_t process) {
  std::ifstream memory(fmt::format("/proc/{}/statm", process));
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  if (!(memory >> size >> resident)) return {};
  Vitals vitals;
  vitals.resident_bytes = resident * page_size();
  std::ifstream file(fmt::format("/proc/{}/stat", process));
  std::string line;
  std::getline(file, line);
  // The name in front may hold blanks and brackets.
  std::istringstream fields(line.substr(line.rfind(')') + 1));
  char state = '?';
  std::string skipped;
  double user = 0;
  double system = 0;
  fields >> state;
  for (int i = 0; i < 10; ++i) fields >> skipped;
  if (fields >> user >> system) {
    vitals.processor_seconds =
        (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
  }
  vitals.stopped = state == 'T' || state == 't';
  return vitals;
}

/// Limits the depth: process numbers may be reused while we look.
Vitals vitals_below(pid_t process, int depth) {
  Vitals all = own_vitals(process);
  std::ifstream children(fmt::format("/proc/{0}/task/{0}/children", process));
  for (pid_t child = 0; depth > 0 && children >> child;) {
    const Vitals one = vitals_below(child, depth - 1);
    all.resident_bytes += one.resident_bytes;
    all.processor_seconds += one.processor_seconds;
    all.stopped = all.stopped && one.stopped;
  }
  return all;
}

}  // namespace

Vitals vitals_of(pid_t process) {
  constexpr int kDepth = 4;
  return vitals_below(process, kDepth);
}

std::uint64_t default_memory_limit() {
  std::uint64_t bytes =
      static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) * page_size();
  std::uint64_t limit = 0;
  // A container's own limit; "max" is no number.
  if (std::ifstream("/sys/fs/cgroup/memory.max") >> limit) {
    bytes = std::min(bytes, limit);
  }
  return bytes / 2;
}

}  // namespace dropcheck::impl::adapters
