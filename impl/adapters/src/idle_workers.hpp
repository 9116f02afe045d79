#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "worker_channel.hpp"

namespace dropcheck::impl::adapters {

/// Processes that wait for the next subject of their command; the latest
/// four. Safe to use from any thread.
class IdleWorkers {
 public:
  /// The one of this program. Its processes end with the program; subjects
  /// that live longer end theirs themselves.
  static IdleWorkers& instance();

  /// Null where no process of this command waits in good health.
  std::unique_ptr<WorkerChannel> take(const WorkerOptions& options);
  void keep(const WorkerOptions& options,
            std::unique_ptr<WorkerChannel> channel);

 private:
  struct Idle {
    std::vector<std::string> command;
    std::uint64_t longest_frame = 0;
    bool shared_memory = false;
    std::unique_ptr<WorkerChannel> channel;

    bool fits(const WorkerOptions& options) const;
  };

  std::unique_ptr<WorkerChannel> take_any(const WorkerOptions& options);
  void close();

  std::mutex mutex_;
  std::vector<Idle> idle_;  ///< the latest last
  bool closed_ = false;
};

}  // namespace dropcheck::impl::adapters
