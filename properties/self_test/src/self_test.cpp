#include "dropcheck/self_test/self_test.hpp"

#include <algorithm>
#include <chrono>

#include "dropcheck/impl/random_stream.hpp"
#include "dropcheck/properties/check_catalogue.hpp"
#include "dropcheck/properties/glob.hpp"
#include "dropcheck/properties/version.hpp"
#include "trials.hpp"

namespace dropcheck::self_test {
namespace {

using Clock = std::chrono::steady_clock;

SelfTestResult start(const Settings& settings, unsigned threads) {
  SelfTestResult result;
  result.version = properties::kVersion;
  result.profile = name_of(settings.profile);
  result.seed = settings.seed;
  result.threads = threads;
  for (const properties::CheckInfo& check : properties::checks()) {
    result.checks.emplace_back(check.name);
  }
  return result;
}

void judge(SelfTestResult& result) {
  if (result.interrupted) {
    result.failures.emplace_back("interrupted: not everything was tried");
  }
  if (result.out_of_time) {
    result.failures.emplace_back(
        "the time limit was reached: not everything was tried");
  }
  judge_kills(result);
  judge_false_alarms(result);
  judge_power(result);
  judge_statistics(result);
}

}  // namespace

std::string_view name_of(Profile profile) {
  return profile == Profile::kQuick ? "quick" : "full";
}

std::optional<Profile> profile_from_name(std::string_view name) {
  for (const Profile profile : {Profile::kQuick, Profile::kFull}) {
    if (name == name_of(profile)) return profile;
  }
  return std::nullopt;
}

bool is_asked(const Settings& settings, const std::string& id) {
  return settings.only.empty() ||
         std::any_of(settings.only.begin(), settings.only.end(),
                     [&](const std::string& glob) {
                       return properties::glob_matches(glob, id);
                     });
}

std::uint64_t trial_seed(const Settings& settings, const std::string& id,
                         std::uint64_t index) {
  std::uint64_t seed = impl::keyed_word(settings.seed, index, 0x5e1f);
  for (const char c : id) {
    seed = impl::keyed_word(seed, static_cast<unsigned char>(c));
  }
  return seed;
}

SelfTestResult run(const Settings& settings, const Progress& progress) {
  const auto begin = Clock::now();
  Workers workers(settings, progress);
  SelfTestResult result = start(settings, workers.threads());
  Trials trials{settings, result, {}, {}};
  plan_kills(trials);
  plan_false_alarms(trials);
  plan_power(trials);
  plan_statistics(trials);
  workers.carry_out(trials.jobs);
  result.interrupted = workers.interrupted();
  result.out_of_time = workers.out_of_time();
  judge(result);
  result.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  return result;
}

std::vector<std::string> trial_ids() {
  std::vector<std::string> ids = kill_ids();
  for (const auto part : {false_alarm_ids, power_ids, statistics_ids}) {
    for (std::string& id : part()) ids.push_back(std::move(id));
  }
  return ids;
}

}  // namespace dropcheck::self_test
