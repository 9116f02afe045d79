#pragma once

#include <string>
#include <vector>

#include "context.hpp"
#include "tally.hpp"

namespace dropcheck::properties {

/// One of several kinds of evidence that share a claim equally.
struct ClaimPart {
  static constexpr double kNoEvent = -1e9;

  double log_e = kNoEvent;  ///< ln of its e-value
  std::string sentence;     ///< what is wrong, if it is
  /// An exact repetition. It is also uneven and dependent; it is the cause.
  bool exact = false;
  std::string quantity = {};  ///< empty: none
  double expected = 0;
  double observed = 0;
};

/// Refutes the finding where the mean of the parts' e-values does, with the
/// words of the part that says most, an exact one first.
bool refute_by_parts(Finding& finding, const Context& context,
                     const std::vector<ClaimPart>& parts);

/// "always agree", "are dependent: ...": what two decisions do.
std::string dependence_words(const PairCounts& pairs);

}  // namespace dropcheck::properties
