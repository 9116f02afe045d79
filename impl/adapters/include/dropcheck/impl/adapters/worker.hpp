#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "dropcheck/impl/adapters/offered_memory.hpp"
#include "dropcheck/impl/adapters/protocol.hpp"
#include "dropcheck/impl/registry.hpp"

namespace dropcheck::impl::adapters {

/// Serves `subjects` by PROTOCOL.md: reads requests from the file descriptor
/// `in` and writes answers to `out` until the peer closes `in` or says "quit".
/// Errors of a layer become answers. Returns the exit status: 0, or 1 where
/// the stream of frames itself was broken.
int serve(const std::vector<SubjectEntry>& subjects, int in, int out,
          OfferedMemory* offered = nullptr);

/// The main function of a worker: serves on standard input and output. What
/// the subjects print goes to standard error, so that it spoils no frame.
int run_worker(const std::vector<SubjectEntry>& subjects);

/// The same for subjects whose loading may print or fail, which is then the
/// answer to the host. What is printed goes to the file descriptor `printed`.
/// Where `offered` is there, the memory for a call's results is told in it.
int run_worker(const std::function<std::vector<SubjectEntry>()>& load,
               int printed, OfferedMemory* offered = nullptr);

}  // namespace dropcheck::impl::adapters
