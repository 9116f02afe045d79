#pragma once

#include <string>

#include "dropcheck/properties/run_result.hpp"

namespace dropcheck::gtest {

/// Whether every finding is certified, or declared as not supported, and at
/// least one is certified. Inconclusive is no pass.
bool conforms(const properties::RunResult& result);

/// What an assertion says when it fails.
struct Failure {
  std::string layer = {};    ///< as it stands in the source
  std::string law = {};      ///< name
  std::string test = {};     ///< "Suite.Test": what --gtest_filter runs alone
  std::string program = {};  ///< as it was started
  std::uint64_t seed = 0;    ///< of the session
};

/// The headline, the worst finding with its sentence, numbers and the line that
/// repeats it, all findings that are no pass, and the settings.
std::string failure_text(const properties::RunResult& result,
                         const Failure& failure);

}  // namespace dropcheck::gtest
