#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "dropcheck/impl/config.hpp"
#include "dropcheck/stats/counts.hpp"

namespace dropcheck::properties {

enum class Profile { kSmoke, kPr, kNightly, kExhaustive };
std::string_view name_of(Profile profile);
std::optional<Profile> profile_from_name(std::string_view name);

/// What a run is asked to do. Defaults are those of the program.
struct Settings {
  Profile profile = Profile::kPr;
  std::vector<double> drop_probabilities;  ///< empty: .1 .3 .5
  std::vector<impl::Shape> shapes;         ///< empty: chosen by the law
  std::vector<impl::DType> dtypes;         ///< empty: all that are declared
  std::vector<std::string> only;           ///< globs on ids; empty: all
  std::optional<double> delta;             ///< replaces the profile's
  std::uint64_t seed = 0;
  double alpha = 1e-9;
  double share = 1;      ///< of alpha for this run; the rest is for other runs
  unsigned threads = 0;  ///< 0: all cores
  double call_timeout_seconds = 60;
  std::optional<double> time_limit_seconds;
  bool fail_fast = false;
  std::size_t generated = 0;        ///< configurations a subject, from a source
  double shrink_limit_seconds = 0;  ///< for each refuted check; 0: no shrinking
};

/// Generated configurations that a profile asks for, and the time that it has
/// for shrinking: what the program takes where nothing else is said.
std::size_t default_generated(Profile profile);
double default_shrink_limit(Profile profile);

/// Settings::threads, or the number of cores where that is 0.
unsigned thread_count(const Settings& settings);

struct Finding;
struct PlannedConfiguration;

/// Where the run tells how far it is; called from one thread at a time.
struct Progress {
  std::function<void(std::size_t done, std::size_t total,
                     const std::string& what)>
      report;
  const std::atomic<bool>* interrupt = nullptr;
  /// All decisions of a configuration, before any verdict on them is known;
  /// called from many threads.
  std::function<void(const PlannedConfiguration&, const stats::Counts&)>
      counted;
  /// Refuted findings that are known, and so not worth shrinking.
  std::function<bool(const Finding&)> known;
};

}  // namespace dropcheck::properties
