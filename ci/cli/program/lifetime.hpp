#pragma once

#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "dropcheck/cli/options.hpp"
#include "dropcheck/properties/plan.hpp"
#include "dropcheck/properties/run_result.hpp"
#include "dropcheck/stats/lifetime.hpp"

namespace dropcheck::cli {

/// One night of the lifetimes in a file (STATISTICS 2.f 8). It is entered into
/// the file before anything is drawn, so that it counts whatever becomes of
/// it; counts follow before any verdict on them is known.
class Night {
 public:
  /// Opens the file, locks it against other runs, and enters the night. Throws
  /// UsageError for a fixed seed, a file that cannot be read, written or
  /// locked, or terms that were edited.
  Night(const Options& options, const properties::Plan& plan);
  ~Night();
  Night(const Night&) = delete;
  Night& operator=(const Night&) = delete;

  /// Adds what a configuration drew and writes the file. Any thread.
  void record(const properties::PlannedConfiguration& planned,
              const stats::Counts& counts);

  /// Closes the night, and tells of every lifetime.
  void finish(properties::RunResult& result);

 private:
  using Key = std::pair<std::string, std::string>;

  void enter(const properties::PlannedConfiguration& planned,
             const stats::LifetimeTerms& terms, std::uint64_t seed);
  stats::LifetimeTerms terms_of(
      const Options& options, const properties::Plan& plan,
      const properties::PlannedConfiguration& planned) const;
  properties::LifetimeRecord record_of(const stats::Lifetime& lifetime) const;

  std::filesystem::path path_;
  int lock_ = -1;
  std::mutex mutex_;
  std::string failure_;  ///< why a write failed, if one did
  std::vector<stats::Lifetime> lifetimes_;
  std::map<Key, std::size_t> tonight_;  ///< subject, configuration -> index
  std::vector<std::string> warnings_;
};

}  // namespace dropcheck::cli
