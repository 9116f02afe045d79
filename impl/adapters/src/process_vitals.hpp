#pragma once

#include <sys/types.h>

#include <cstdint>

namespace dropcheck::impl::adapters {

/// How a process is doing, as the kernel sees it: a heartbeat that needs no
/// help from the process, in any language.
struct Vitals {
  std::uint64_t resident_bytes = 0;
  double processor_seconds = 0;  ///< used so far
  /// SIGSTOP, or a debugger, holds all of it.
  bool stopped = false;
};

/// Of a process and its descendants together, from /proc; memory that two of
/// them share counts twice. All 0 where there is no such process.
Vitals vitals_of(pid_t process);

/// Half of the machine's memory, or of what this process may use.
std::uint64_t default_memory_limit();

}  // namespace dropcheck::impl::adapters
