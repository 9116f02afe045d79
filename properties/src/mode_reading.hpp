#pragma once

#include <string>

#include "probe.hpp"

namespace dropcheck::properties {

/// What the training switch does.
struct EvaluationReading {
  EvaluationKind kind = EvaluationKind::kRefused;
  double slope = 1;     ///< kScaled
  std::string words;    ///< all that was seen, as one clause
  bool sticks = false;  ///< after an evaluation, training drops nothing
};

/// Calls of which independent ones would all agree with probability at most
/// e^-25, as far as a layer of that probe can be asked so often.
std::int64_t telling_calls(const Probe& probe);

EvaluationReading read_evaluation(BlackBox& box, const Probe& probe);

/// What a seed does.
struct SeedReading {
  std::string words;     ///< one clause
  bool useless = false;  ///< it does not repeat masks, or they are always one
};
SeedReading read_seeding(BlackBox& box, const Probe& probe);

}  // namespace dropcheck::properties
