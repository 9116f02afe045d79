#pragma once

#include <string>
#include <vector>

#include "dropcheck/impl/adapters/worker_subject.hpp"

namespace dropcheck::impl::adapters {

/// How an adapter did in one trial of PROTOCOL.md.
struct AdapterTrial {
  enum class Outcome { kPassed, kFailed, kNotTried };

  std::string name;
  Outcome outcome = Outcome::kNotTried;
  std::string sentence;  ///< what was seen, or why it was not tried
};

/// Tests the adapter itself, not the layer: whether it answers as PROTOCOL.md
/// says, has what it declares, survives requests that are wrong, and ends when
/// its input ends. Each trial ends within a few times the call timeout. Throws
/// AdapterError where the program does not start.
std::vector<AdapterTrial> try_adapter(const WorkerOptions& options);

}  // namespace dropcheck::impl::adapters
