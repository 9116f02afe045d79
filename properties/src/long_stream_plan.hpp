#pragma once

#include <cstdint>

#include "dropcheck/properties/plan.hpp"
#include "repeat_search.hpp"

namespace dropcheck::properties {

/// How long one sequence of calls is, and what is looked for in it.
struct LongStreamPlan {
  impl::Shape shape;        ///< of the input
  std::int64_t units = 0;   ///< a call
  std::int64_t calls = 0;   ///< without reseeding
  std::int64_t wanted = 0;  ///< decisions that the profile asks for

  std::int64_t block_bits = 0;  ///< of the transforms
  std::int64_t blocks = 0;      ///< that are correlated, from the beginning
  std::int64_t lag_blocks = 0;  ///< the longest lag, in blocks

  RepeatPlan repeats;
  std::int64_t run = 0;  ///< decisions that are found wherever they return

  /// A second sequence, of short calls whose masks are compared as a whole; 0:
  /// none.
  std::int64_t masks = 0;
  impl::Shape mask_shape;
  std::int64_t mask_units = 0;

  std::int64_t decisions() const { return units * calls; }
  std::int64_t longest_lag() const { return lag_blocks * block_bits - 1; }
  /// Parts of the claim: drift, lags, repeats, masks.
  int parts() const {
    return 2 + (repeats.window > 0 ? 1 : 0) + (masks > 0 ? 1 : 0);
  }
};

/// `threshold` is what the claim's e-value must reach, `reduced` the decisions
/// that a slow subject allows, or 0.
LongStreamPlan make_long_stream_plan(const PlannedConfiguration& planned,
                                     Profile profile, double threshold,
                                     std::uint64_t reduced);

/// The decisions that a subject can make in the time that the profile gives,
/// at its measured speed; 0 where that is all that are wanted. Between the two
/// lies a factor of four or more, so that only slow subjects have fewer.
std::uint64_t affordable_decisions(const PlannedConfiguration& planned,
                                   Profile profile);

}  // namespace dropcheck::properties
