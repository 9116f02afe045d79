// Holds a plug-in for dropcheck and speaks PROTOCOL.md: a crash of the plug-in
// ends this process only.
#include <fmt/format.h>
#include <malloc.h>
#include <sys/resource.h>

#include <chrono>

#include "dropcheck/impl/adapters/plugin_subjects.hpp"
#include "dropcheck/impl/adapters/worker.hpp"
#include "dropcheck/impl/guarded_subject.hpp"
#include "print_watch.hpp"

namespace {

using namespace dropcheck::impl;

// The host has its own limit for a call.
constexpr std::chrono::hours kNoLimit(1000);

std::vector<SubjectEntry> load(const char* path, adapters::PrintWatch& watch,
                               const adapters::OfferedMemory& offered) {
  std::vector<SubjectEntry> entries;
  for (SubjectEntry& entry : adapters::plugin_subjects(path, &offered)) {
    entries.push_back(guarded(watched(std::move(entry), watch), kNoLimit));
  }
  return entries;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    fmt::print(stderr, "usage: dropcheck-plugin-worker LIBRARY\n");
    return 2;
  }
  // A crash is expected here, and its picture of memory wanted by nobody.
  const rlimit none = {0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 256 << 20);
  adapters::PrintWatch watch;
  adapters::OfferedMemory offered;
  return adapters::run_worker(
      [&] { return load(arguments[1], watch, offered); }, watch.descriptor(),
      &offered);
}
