#pragma once

#include <cstdint>
#include <vector>

#include "dropcheck/impl/law.hpp"

namespace dropcheck::impl {

/// One spatial axis of drop_block. A block around `centre` covers the positions
/// from centre - before to centre - before + block - 1, as far as there are
/// any; `before` is (block - 1) / 2, rounded down.
struct BlockAxis {
  std::int64_t extent = 1;
  std::int64_t block = 1;  ///< min(block size, extent)
  std::int64_t first_centre = 0;
  std::int64_t last_centre = 0;

  std::int64_t before() const { return (block - 1) / 2; }
  std::int64_t centres() const { return last_centre - first_centre + 1; }
  /// First and one past the last position of the block around a centre.
  std::int64_t begin(std::int64_t centre) const;
  std::int64_t end(std::int64_t centre) const;
  /// Number of centres whose block covers `position`.
  std::int64_t covering(std::int64_t position) const;
  /// Positions that as many centres cover as any, no two of them covered by
  /// one block: their decisions are independent and have one rate.
  std::vector<std::int64_t> readable() const;
};

/// drop_block on one map: blocks around independent Bernoulli(gamma) centres.
///
/// Law     a position is kept if none of the centres that cover it is drawn:
///         its drop probability is exactly 1 - (1 - gamma)^covering, borders
///         and overlaps included. The usual gamma, p / block volume with a
///         factor for the border, makes the mean of that p to first order
///         only.
/// Source  Ghiasi et al. 2018, arXiv:1810.12890.
struct BlockLaw {
  std::vector<BlockAxis> axes;
  double gamma = 0;

  std::int64_t centres() const;
  /// Centres that cover a readable position.
  std::int64_t covering_readable() const;
  /// 1 - (1 - gamma)^covering.
  double drop_probability(std::int64_t covering) const;
  /// Drop probability of every position, row-major.
  std::vector<double> drop_map() const;
};

/// The axis of a map of that extent, for blocks of a size.
BlockAxis block_axis(std::int64_t extent, std::int64_t size, bool whole_map);

/// The blocks of a law with Unit::kBlock on a tensor (N, C, ...) of `shape`.
/// Throws std::invalid_argument for a rank or a block size without meaning.
BlockLaw block_law(const Law& law, const LayerConfig& config,
                   const Shape& shape);

/// Whether survivors are multiplied by the number of entries over that of kept
/// ones, counted in each call, instead of by a constant.
bool measures_scale(const Law& law, const LayerConfig& config);

}  // namespace dropcheck::impl
