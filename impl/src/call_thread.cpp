#include "call_thread.hpp"

#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <mutex>
#include <utility>

#include "dropcheck/impl/guarded_subject.hpp"

namespace dropcheck::impl {
namespace {

std::atomic<int> abandoned_count{0};

/// An exit handler of glibc: the last one to be registered runs first, before
/// the destructors of static objects that a call left behind may still use.
void end_at_once(int status, void*) {
  if (abandoned_count == 0) return;
  std::cout.flush();
  std::cerr.flush();
  std::fflush(nullptr);
  ::_exit(status);
}

void note_abandoned() {
  ++abandoned_count;
  ::on_exit(end_at_once, nullptr);
}

}  // namespace

int abandoned_calls() { return abandoned_count; }

struct CallThread::State {
  std::mutex mutex;
  std::condition_variable changed;
  std::function<void()> job;  // empty: nothing to do
  std::exception_ptr failure;
  bool ending = false;
  bool abandoned = false;
};

CallThread::CallThread()
    : state_(std::make_shared<State>()),
      thread_([state = state_] { serve(state); }) {}

CallThread::~CallThread() {
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->abandoned) return;
    state_->ending = true;
  }
  state_->changed.notify_all();
  thread_.join();
}

void CallThread::serve(const std::shared_ptr<State>& state) {
  std::unique_lock lock(state->mutex);
  for (;;) {
    state->changed.wait(lock, [&] { return state->ending || state->job; });
    if (state->ending) return;
    std::function<void()> job = state->job;
    lock.unlock();
    std::exception_ptr failure;
    try {
      job();
    } catch (...) {
      failure = std::current_exception();
    }
    job = nullptr;  // what it owns dies here, where it was made
    lock.lock();
    if (state->abandoned) {
      --abandoned_count;
      return;
    }
    state->failure = failure;
    state->job = nullptr;
    state->changed.notify_all();
  }
}

bool CallThread::run(std::function<void()> job,
                     std::chrono::nanoseconds limit) {
  std::unique_lock lock(state_->mutex);
  state_->job = std::move(job);
  state_->changed.notify_all();
  if (!state_->changed.wait_for(lock, limit, [&] { return !state_->job; })) {
    state_->abandoned = true;
    state_->job = nullptr;
    note_abandoned();
    thread_.detach();
    return false;
  }
  if (state_->failure) {
    std::rethrow_exception(std::exchange(state_->failure, nullptr));
  }
  return true;
}

}  // namespace dropcheck::impl
