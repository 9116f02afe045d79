#pragma once

#include <cstdint>

#include "dropcheck/properties/settings.hpp"

namespace dropcheck::properties {

/// How the SELU network is run. The band is declared, not derived: no exact
/// law exists through depth (STATISTICS 2.f 12). At width 128 the mean square
/// of a right layer stays within a few percent of 1.
struct DepthPlan {
  std::int64_t depth = 32;
  std::int64_t width = 128;
  std::int64_t batch = 16;
  double band = 0.15;
  std::uint64_t passes = 1500;  ///< at most; it stops when decided
};

DepthPlan make_depth_plan(Profile profile);

}  // namespace dropcheck::properties
