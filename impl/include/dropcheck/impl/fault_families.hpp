#pragma once

#include <functional>
#include <string>
#include <vector>

#include "dropcheck/impl/registry.hpp"

namespace dropcheck::impl {

/// A class of defects with a size, so that what is found of it is a curve and
/// not a point.
struct FaultFamily {
  std::string name;       ///< "rate_above"
  std::string layer;      ///< the law that its members promise
  std::string caught_by;  ///< the check whose detectable effect is its size
  std::string measures;   ///< what the size is: "a drop rate too high by"
  /// A layer with the defect in that size, at the drop probability that it is
  /// asked for. A size that the probability does not allow is cut off.
  std::function<SubjectEntry(double size)> of_size;
};

const std::vector<FaultFamily>& fault_families();

}  // namespace dropcheck::impl
