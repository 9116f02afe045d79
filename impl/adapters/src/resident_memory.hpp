#pragma once

#include <sys/types.h>

#include <cstdint>

namespace dropcheck::impl::adapters {

/// Bytes of memory in use by a process and its descendants, from /proc; memory
/// that two of them share counts twice. 0 where there is no such process.
std::uint64_t resident_bytes(pid_t process);

/// Half of the machine's memory, or of what this process may use.
std::uint64_t default_memory_limit();

}  // namespace dropcheck::impl::adapters
