#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "dropcheck/self_test/self_test.hpp"

namespace dropcheck::self_test {

/// One piece of work. It calls `step` after each of its steps and ends when
/// that says so.
struct Job {
  std::string what;
  std::size_t steps = 1;
  std::function<void(const std::function<bool()>& step)> run;
};

/// Carries jobs out on several threads, each job on one.
class Workers {
 public:
  Workers(const Settings& settings, const Progress& progress);

  /// Returns when all are done, or when it was interrupted or ran out of time.
  /// What a job throws is thrown here, after the others have ended.
  void carry_out(const std::vector<Job>& jobs);

  bool interrupted() const;
  bool out_of_time() const;
  unsigned threads() const { return threads_; }

 private:
  bool go_on() const { return !interrupted() && !out_of_time(); }
  bool step(const std::string& what);

  using Clock = std::chrono::steady_clock;
  const Progress& progress_;
  unsigned threads_;
  double limit_seconds_;
  Clock::time_point begin_ = Clock::now();
  std::mutex mutex_;
  std::size_t done_ = 0;
  std::size_t total_ = 0;
};

}  // namespace dropcheck::self_test
