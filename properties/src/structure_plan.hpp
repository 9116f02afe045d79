#pragma once

#include <cstdint>
#include <vector>

#include "dropcheck/impl/tensor.hpp"

namespace dropcheck::properties {

/// Which pairs of decisions are counted. Fixed before the first mask.
///
/// A row is one call, its units in row-major order. Where a call has fewer
/// than 64 units, all calls of a block are laid end to end as one row, so that
/// lags reach across calls.
struct StructurePlan {
  std::int64_t units = 0;  ///< per call
  bool flat = false;
  std::int64_t row_bits = 0;
  std::vector<std::size_t> lags;
  std::vector<std::size_t> call_lags;
};

/// Lags 1..64, every stride of the unit grid with its neighbours and times 2,
/// 4, 8, ..., powers of two
/// (chunks of 1024 or 4096 among them), a half and a quarter of a row, none
/// above half a row, rounded up; call lags 1..8 and powers of two up to half a
/// block.
StructurePlan make_structure_plan(const impl::Shape& unit_shape,
                                  std::int64_t calls_per_block);

}  // namespace dropcheck::properties
