#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "dropcheck/self_test/self_test.hpp"
#include "workers.hpp"

namespace dropcheck::self_test {

/// What each part of the self-test gets.
struct Trials {
  const Settings& settings;
  SelfTestResult& result;
  std::vector<Job> jobs;
  std::mutex mutex;  ///< of `result`
};

/// Whether an id is asked for.
bool is_asked(const Settings& settings, const std::string& id);

/// The seed of a trial: another one for each text, and for each index.
std::uint64_t trial_seed(const Settings& settings, const std::string& id,
                         std::uint64_t index = 0);

// Each adds its jobs, which fill the result; then what is wrong with it. The
// ids are those that it could add.
void plan_kills(Trials& trials);
void judge_kills(SelfTestResult& result);
std::vector<std::string> kill_ids();

void plan_false_alarms(Trials& trials);
void judge_false_alarms(SelfTestResult& result);
std::vector<std::string> false_alarm_ids();

void plan_power(Trials& trials);
void judge_power(SelfTestResult& result);
std::vector<std::string> power_ids();

void plan_statistics(Trials& trials);
void judge_statistics(SelfTestResult& result);
std::vector<std::string> statistics_ids();

}  // namespace dropcheck::self_test
