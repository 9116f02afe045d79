#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dropcheck/self_test/result.hpp"

namespace dropcheck::self_test {

enum class Profile { kQuick, kFull };
std::string_view name_of(Profile profile);
std::optional<Profile> profile_from_name(std::string_view name);

/// What a self-test is asked to do. Defaults are those of the program.
struct Settings {
  Profile profile = Profile::kQuick;
  std::uint64_t seed = 0;
  unsigned threads = 0;  ///< 0: all cores
  /// Globs on "kill.NAME", "false_alarms.NAME", "power.FAMILY" and
  /// "statistics.NAME", where NAME is a subject's or an e-value's; empty: all.
  std::vector<std::string> only;
  std::optional<std::uint64_t> runs;  ///< on right layers, for the profile's
  std::optional<double> time_limit_seconds;
};

/// Where it tells how far it is; called from one thread at a time.
struct Progress {
  std::function<void(std::size_t done, std::size_t total,
                     const std::string& what)>
      report;
  const std::atomic<bool>* interrupt = nullptr;
};

/// Puts the oracle on trial: wrong layers of the zoo, right layers, planted
/// defects, and the promises of stats/ that can be computed. Every subject runs
/// under an opaque name.
///
/// Chance  with a right oracle something fails with probability below 1e-5.
/// Time    limits end it early: what was not reached is a failure.
SelfTestResult run(const Settings& settings, const Progress& progress = {});

/// Every id that `Settings::only` may match.
std::vector<std::string> trial_ids();

}  // namespace dropcheck::self_test
