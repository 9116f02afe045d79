#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dropcheck/properties/identify.hpp"
#include "probe.hpp"

namespace dropcheck::properties {

/// Blocks that were found, and what they were read from.
struct BlockEvidence {
  BlockReading blocks;
  /// The calls on the map; its units are the positions that no block covers
  /// two of.
  Probe probe;
  double rate = 0;           ///< mean drop probability over the map
  stats::Interval interval;  ///< of it
  std::vector<std::string> remarks;
};

/// Looks for blocks in drops on inputs of `shape`, or of its rank where none is
/// given: runs of drops along an axis that are never shorter than a block, and
/// begin anywhere. Nothing where drops come in no blocks.
///
/// Errors  a size is larger than the true one, or blocks are seen where there
///         are none, with probability at most exp(-log_inverse_eps): in each of
///         so many calls the shortest run would have been longer by chance of
///         at most 1/2. The intervals are of that level too.
std::optional<BlockEvidence> read_blocks(
    BlackBox& box, std::size_t rank, const std::optional<impl::Shape>& shape,
    double log_inverse_eps);

}  // namespace dropcheck::properties
