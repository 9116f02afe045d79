#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "dropcheck/gtest/contract.hpp"
#include "dropcheck/gtest/options.hpp"
#include "dropcheck/impl/registry.hpp"
#include "dropcheck/properties/run_result.hpp"
#include "dropcheck/properties/verify.hpp"

namespace dropcheck::gtest {

/// The alarm budget of a process, shared by claimants whose number is not known
/// in advance: the i-th one gets 1 / (i (i + 1)) of it.
class AlarmShares {
 public:
  double next();

 private:
  std::atomic<std::uint64_t> taken_{0};
};

/// One subject to verify.
struct Claim {
  impl::SubjectEntry entry;
  Contract contract;
  double share = 1;  ///< of the alarm budget
  /// Checks to run now; empty: all. Whichever they are, each has the weight
  /// that it has among all.
  std::vector<std::string> checks = {};
};

struct Outcome {
  properties::RunResult result;
  bool left_out = false;  ///< not run: another finding is replayed
};

/// What the assertions of a process share: options, seed, the replay.
class Session {
 public:
  /// Throws std::invalid_argument for a token that is none.
  explicit Session(Options options);

  const Options& options() const { return options_; }
  std::uint64_t seed() const { return seed_; }
  bool replays() const { return replay_.has_value(); }

  /// Name of the next subject in a test: "gtest:Suite.Test", then with ":2".
  std::string next_name(const std::string& test);
  /// All tests run again: names begin anew, seeds do not repeat.
  void begin_iteration();

  /// Verifies a claim, or repeats the finding of the token if it is the
  /// claim's. The seed of a claim follows from the session's, its name and how
  /// often that was verified, so that no two claims share masks and a test that
  /// runs alone draws the same. Throws std::invalid_argument for a contract or
  /// a token that cannot be.
  Outcome verify(const Claim& claim);

  /// The token that was given, if no claim was its own so far.
  std::optional<std::string> unused_replay() const;

 private:
  std::uint64_t next_seed(const std::string& name);
  properties::Settings settings_for(const Claim& claim);
  properties::RunResult replay(const Claim& claim);

  Options options_;
  std::uint64_t seed_;
  std::optional<properties::ReplayToken> replay_;
  std::atomic<bool> replayed_{false};
  std::mutex mutex_;
  std::map<std::string, int> names_;
  std::map<std::string, std::uint64_t> runs_;
};

}  // namespace dropcheck::gtest
