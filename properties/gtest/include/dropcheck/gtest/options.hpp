#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "dropcheck/properties/settings.hpp"

namespace dropcheck::gtest {

/// What holds for all assertions of one test program.
struct Options {
  properties::Profile profile = properties::Profile::kSmoke;
  /// Empty: fresh in every process, and printed.
  std::optional<std::uint64_t> seed = {};
  /// Probability of any false refutation by this process, all assertions
  /// together, however many there are.
  double alpha = 1e-9;
  unsigned threads = 0;  ///< 0: all cores
  double call_timeout_seconds = 60;
  /// Token of the one finding to repeat; all other assertions are left out.
  std::string replay = {};
};

/// `options` with what the arguments (--dropcheck_seed=7) and, where they are
/// silent, the environment (DROPCHECK_SEED=7) say instead. The names are
/// profile, seed, alpha, threads, call_timeout and replay; "random" is a fresh
/// seed.
///
/// Throws  std::invalid_argument for an unknown --dropcheck_ argument or a bad
///         value; it names the option, its value and the rule.
Options overridden(Options options, const std::vector<std::string>& arguments,
                   const std::function<const char*(const char*)>& environment);

}  // namespace dropcheck::gtest
