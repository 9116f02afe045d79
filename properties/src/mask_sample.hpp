#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "context.hpp"

namespace dropcheck::properties {

/// Masks that are drawn after a refutation, to find out why: for the words
/// only, no verdict rests on them.
struct MaskSample {
  std::int64_t calls = 0;           ///< one after another, in one sequence
  std::int64_t units = 0;           ///< a call
  impl::Shape grid;                 ///< of the units; their number is `units`
  std::vector<std::uint8_t> drops;  ///< 1 is a drop; call by call

  bool drop(std::int64_t call, std::int64_t unit) const {
    return drops[static_cast<std::size_t>(call * units + unit)] != 0;
  }
  double rate() const;
  /// Units of one row: the last extent of the grid.
  std::int64_t row() const { return grid.empty() ? 1 : grid.back(); }
};

/// About 2^19 decisions, of 64 to 2048 calls with the configuration's shape.
/// Throws what the subject throws.
MaskSample sample_masks(const Context& context);

/// Adds ": why" to the sentence of a finding that is refuted. `cause` may draw
/// and throw: then the sentence stays as it is.
void add_cause(Finding& finding,
               const std::function<std::optional<std::string>()>& cause);

}  // namespace dropcheck::properties
