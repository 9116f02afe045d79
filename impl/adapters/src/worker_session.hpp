#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>

#include "dropcheck/impl/adapters/worker_subject.hpp"
#include "strided.hpp"
#include "worker_channel.hpp"

namespace dropcheck::impl::adapters {

/// One subject's time with a worker: a process, fresh or left by another
/// subject, and what it knows already.
class WorkerSession {
 public:
  explicit WorkerSession(const WorkerOptions& options);
  /// Leaves a process in good health to the next subject.
  ~WorkerSession();
  WorkerSession(const WorkerSession&) = delete;
  WorkerSession& operator=(const WorkerSession&) = delete;

  const Description& description() const { return description_; }
  const Promise& promise() const { return promise_; }
  bool alive() const { return channel_->process.alive(); }
  Frame exchange(const Message& request) {
    return channel_->process.exchange(request, options_.call_timeout);
  }
  std::string next_id() { return std::to_string(++channel_->latest_id); }
  /// The worker sent what makes no sense: nobody else shall have it.
  void distrust() { trusted_ = false; }

  /// Destroys a layer. What goes wrong is thrown by require_sound.
  void destroy(const std::string& id);
  /// Throws what an earlier destroy failed with. Nobody would hear of it
  /// otherwise, and it would go wrong for every layer.
  void require_sound() const {
    if (failure_) std::rethrow_exception(failure_);
  }

  /// Puts the input into the request, or its slot where the worker has it.
  /// `number`: Call::input_number.
  void attach_input(const CompactBytes& input, std::uint64_t number,
                    Message& request);

  /// A region for a result of `bytes` bytes, announced to the worker; room 0
  /// where results travel in the frame.
  SharedArena::Region acquire(std::size_t bytes);
  void release(const SharedArena::Region& region) {
    channel_->arena.release(region);
  }
  std::byte* at(const SharedArena::Region& region) const {
    return channel_->arena.at(region);
  }

 private:
  struct KnownInput {
    Tensor values;
    std::string strides;
    std::int64_t offset = 0;
    std::uint64_t latest_use = 0;
    std::uint64_t number = 0;
  };

  bool take_over();
  void start();
  void describe();
  Frame ask_for_description();
  std::optional<std::size_t> slot_of(const CompactBytes& input,
                                     std::uint64_t number) const;
  std::size_t oldest_slot() const;

  WorkerOptions options_;
  std::unique_ptr<WorkerChannel> channel_;
  Description description_;
  Promise promise_;
  std::vector<KnownInput> inputs_;
  std::uint64_t uses_ = 0;
  bool trusted_ = true;
  std::exception_ptr failure_;  ///< of a destroy
};

}  // namespace dropcheck::impl::adapters
