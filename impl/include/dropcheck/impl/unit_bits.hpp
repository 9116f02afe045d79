#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "dropcheck/impl/tensor.hpp"

namespace dropcheck::impl {

/// Where the bits of units stand among those of elements: one bit each, in
/// row-major order, the lowest of a word first, with zeros past the end.
class UnitBits {
 public:
  /// `units` is the shape `elements` with an extent of 1 on each axis that is
  /// shared.
  UnitBits(const Shape& units, const Shape& elements);

  /// Gives every element the bit of its unit.
  void spread(const std::uint64_t* units, std::uint64_t* elements) const;

  /// Gives every unit the bit of its elements. False where these disagree;
  /// then what stands in `units` means nothing.
  bool gather(const std::uint64_t* elements, std::uint64_t* units) const;

 private:
  struct OuterAxis {
    std::size_t extent;
    std::size_t stride;  ///< in units; 0: shared
  };

  template <class Row>
  void for_each_row(const Row& row) const;

  std::size_t units_;
  std::size_t elements_;
  // A row is so many neighbouring units of so many neighbouring elements.
  std::size_t row_ = 1;
  std::size_t run_ = 1;
  std::vector<OuterAxis> outer_;  ///< innermost first
};

}  // namespace dropcheck::impl
