#pragma once

#include <cstdint>

#include "dropcheck/impl/adapters/worker_subject.hpp"
#include "shared_arena.hpp"
#include "worker_process.hpp"

namespace dropcheck::impl::adapters {

/// A worker process and the memory that it shares: what one subject can leave
/// to the next.
struct WorkerChannel {
  explicit WorkerChannel(const WorkerOptions& options)
      : arena(options.shared_memory), process(options) {
    arena.close_on_exec();
  }

  SharedArena arena;
  WorkerProcess process;
  std::size_t announced = 0;    ///< bytes of the arena that the worker knows
  std::uint64_t latest_id = 0;  ///< of the layers made
};

}  // namespace dropcheck::impl::adapters
