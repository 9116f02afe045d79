#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <thread>

namespace dropcheck::impl {

/// A thread that runs one job at a time, and can be left behind in one that
/// does not end.
class CallThread {
 public:
  CallThread();
  /// Ends the thread, unless it was left behind.
  ~CallThread();
  CallThread(const CallThread&) = delete;
  CallThread& operator=(const CallThread&) = delete;

  /// Runs the job and rethrows what it throws. False if it did not end within
  /// `limit`: the job then goes on alone, so it must own all that it uses, and
  /// nothing more may be run here.
  bool run(std::function<void()> job, std::chrono::nanoseconds limit);

 private:
  struct State;
  static void serve(const std::shared_ptr<State>& state);

  std::shared_ptr<State> state_;
  std::thread thread_;
};

}  // namespace dropcheck::impl
