#include "workers.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <limits>
#include <thread>

#include "dropcheck/properties/settings.hpp"

namespace dropcheck::self_test {
namespace {

unsigned threads_of(const Settings& settings) {
  properties::Settings all;
  all.threads = settings.threads;
  return properties::thread_count(all);
}

}  // namespace

Workers::Workers(const Settings& settings, const Progress& progress)
    : progress_(progress),
      threads_(threads_of(settings)),
      limit_seconds_(settings.time_limit_seconds.value_or(
          std::numeric_limits<double>::infinity())) {}

bool Workers::interrupted() const {
  return progress_.interrupt != nullptr && progress_.interrupt->load();
}

bool Workers::out_of_time() const {
  return std::chrono::duration<double>(Clock::now() - begin_).count() >
         limit_seconds_;
}

bool Workers::step(const std::string& what) {
  const std::lock_guard lock(mutex_);
  ++done_;
  if (progress_.report) progress_.report(done_, total_, what);
  return go_on();
}

void Workers::carry_out(const std::vector<Job>& jobs) {
  for (const Job& job : jobs) total_ += job.steps;
  std::atomic<std::size_t> next{0};
  std::exception_ptr failure;
  const auto work = [&] {
    while (go_on()) {
      const std::size_t index = next++;
      if (index >= jobs.size()) return;
      const Job& job = jobs[index];
      try {
        job.run([&] { return step(job.what); });
      } catch (...) {
        const std::lock_guard lock(mutex_);
        if (!failure) failure = std::current_exception();
      }
    }
  };
  std::vector<std::thread> threads;
  const std::size_t count = std::min<std::size_t>(threads_, jobs.size());
  for (std::size_t i = 1; i < count; ++i) threads.emplace_back(work);
  work();
  for (std::thread& thread : threads) thread.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace dropcheck::self_test
