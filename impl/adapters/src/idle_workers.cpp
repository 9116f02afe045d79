#include "idle_workers.hpp"

#include <algorithm>

namespace dropcheck::impl::adapters {

// The object itself is never destroyed: subjects in static memory may come
// back after `closer` has run.
IdleWorkers& IdleWorkers::instance() {
  static IdleWorkers& workers = *new IdleWorkers;
  static const struct Closer {
    ~Closer() { workers.close(); }
  } closer;
  return workers;
}

bool IdleWorkers::Idle::fits(const WorkerOptions& options) const {
  return command == options.command && longest_frame == options.longest_frame &&
         shared_memory == options.shared_memory;
}

std::unique_ptr<WorkerChannel> IdleWorkers::take(const WorkerOptions& options) {
  while (auto channel = take_any(options)) {
    if (channel->process.ready_for_another()) return channel;
  }
  return nullptr;
}

std::unique_ptr<WorkerChannel> IdleWorkers::take_any(
    const WorkerOptions& options) {
  const std::lock_guard lock(mutex_);
  const auto found =
      std::find_if(idle_.rbegin(), idle_.rend(),
                   [&](const Idle& idle) { return idle.fits(options); });
  if (found == idle_.rend()) return nullptr;
  auto channel = std::move(found->channel);
  idle_.erase(std::next(found).base());
  return channel;
}

// A process that has to go ends outside the lock: that may take seconds.
void IdleWorkers::keep(const WorkerOptions& options,
                       std::unique_ptr<WorkerChannel> channel) {
  constexpr std::size_t kMost = 4;
  if (!channel->process.ready_for_another()) return;
  Idle oldest;
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  if (idle_.size() == kMost) {
    oldest = std::move(idle_.front());
    idle_.erase(idle_.begin());
  }
  idle_.push_back({options.command, options.longest_frame,
                   options.shared_memory, std::move(channel)});
}

void IdleWorkers::close() {
  std::vector<Idle> ending;
  const std::lock_guard lock(mutex_);
  closed_ = true;
  ending.swap(idle_);
}

}  // namespace dropcheck::impl::adapters
