#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dropcheck/impl/law.hpp"

namespace dropcheck::properties {

/// One entry of a gradient: what it is multiplied by, and what is due.
struct GradientEntry {
  double seen = 0;
  double due = 0;
};

/// Gradients of some calls with one shape, each in row-major order.
struct Gradients {
  std::vector<std::vector<GradientEntry>> calls;
  std::int64_t row = 1;  ///< the last extent
  /// One element of each unit, whose decisions are independent.
  std::vector<std::size_t> units;
};

/// Whether an entry is dropped in one and kept in the other.
bool any_crossed(const Gradients& gradients);

/// Why gradients have entries where the forward call dropped, or lack them
/// where it kept: the whole gradient passes, keep and drop are confused, a part
/// is never written, the mask of a neighbour, or one that is drawn anew.
std::string cause_of_crossed(const Gradients& gradients);

/// What a factor is instead of the slope that is due: "1/keep is missing".
std::optional<std::string> cause_of_slope(const impl::Affine& due,
                                          double drop_probability,
                                          const GradientEntry& entry,
                                          double tolerance);

}  // namespace dropcheck::properties
