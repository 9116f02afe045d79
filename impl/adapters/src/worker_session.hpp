#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "dropcheck/impl/adapters/worker_subject.hpp"
#include "shared_arena.hpp"
#include "strided.hpp"
#include "worker_process.hpp"

namespace dropcheck::impl::adapters {

/// One life of a worker: its process, what it knows already, shared memory.
class WorkerSession {
 public:
  explicit WorkerSession(const WorkerOptions& options);

  const Description& description() const { return description_; }
  bool alive() const { return process_.alive(); }
  Frame exchange(const Message& request) {
    return process_.exchange(request, options_.call_timeout);
  }
  std::string next_id() { return std::to_string(++latest_id_); }

  /// Puts the input into the request, or its slot where the worker has it.
  void attach_input(const CompactBytes& input, Message& request);

  /// A region for a result of `bytes` bytes, announced to the worker; room 0
  /// where results travel in the frame.
  SharedArena::Region acquire(std::size_t bytes);
  void release(const SharedArena::Region& region) { arena_.release(region); }
  std::byte* at(const SharedArena::Region& region) const {
    return arena_.at(region);
  }

 private:
  struct KnownInput {
    Tensor values;
    std::string strides;
    std::uint64_t latest_use = 0;
  };

  void describe();
  std::optional<std::size_t> slot_of(const CompactBytes& input) const;
  std::size_t oldest_slot() const;

  WorkerOptions options_;
  SharedArena arena_;
  WorkerProcess process_;
  Description description_;
  std::vector<KnownInput> inputs_;
  std::uint64_t uses_ = 0;
  std::uint64_t latest_id_ = 0;
  std::size_t announced_ = 0;
};

}  // namespace dropcheck::impl::adapters
