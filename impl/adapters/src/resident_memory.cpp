#include "resident_memory.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace dropcheck::impl::adapters {
namespace {

std::uint64_t page_size() {
  return static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::uint64_t own_bytes(pid_t process) {
  std::ifstream file(fmt::format("/proc/{}/statm", process));
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  return file >> size >> resident ? resident * page_size() : 0;
}

/// Limits the depth: process numbers may be reused while we look.
std::uint64_t bytes_below(pid_t process, int depth) {
  std::uint64_t bytes = own_bytes(process);
  std::ifstream children(fmt::format("/proc/{0}/task/{0}/children", process));
  for (pid_t child = 0; depth > 0 && children >> child;) {
    bytes += bytes_below(child, depth - 1);
  }
  return bytes;
}

}  // namespace

std::uint64_t resident_bytes(pid_t process) {
  constexpr int kDepth = 4;
  return bytes_below(process, kDepth);
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
