#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "dropcheck/stats/counts.hpp"

namespace dropcheck::properties {

/// Pairs of decisions (earlier, later) at one distance.
struct PairCounts {
  std::uint64_t pairs = 0;
  std::uint64_t earlier = 0;  ///< pairs whose earlier decision is a drop
  std::uint64_t later = 0;    ///< pairs whose later decision is a drop
  std::uint64_t both = 0;

  PairCounts& operator+=(const PairCounts& other);
  bool operator==(const PairCounts&) const = default;
  /// Later decisions that follow a drop, or a kept unit.
  stats::Counts after_drop() const { return {both, earlier}; }
  stats::Counts after_keep() const { return {later - both, pairs - earlier}; }
};

/// The first element whose value is neither the kept nor the dropped one, or
/// the first that differs from the rest of its unit.
struct Witness {
  std::uint64_t block = 0;
  std::int64_t call = 0;     ///< within the block
  std::int64_t element = 0;  ///< row-major
  double value = 0;          ///< what came out
  bool operator==(const Witness&) const = default;
};

/// What is counted over one or many blocks. Integers only, so that merging in
/// block order is exact on any number of threads.
struct Tally {
  static constexpr std::size_t kGroup = 64;

  stats::Counts rate;
  std::uint64_t calls = 0;
  /// Drops in each call of one block, in order; looks fall between calls.
  /// Merging leaves it alone.
  std::vector<std::uint32_t> call_drops;
  std::uint64_t wrong_calls = 0;  ///< calls with a value that is neither
  std::optional<Witness> wrong;
  std::uint64_t torn_units = 0;  ///< units whose elements disagree
  std::optional<Witness> torn;

  // Structure; filled only by blocks of the structure prefix.
  std::uint64_t structure_rows = 0;
  stats::Counts structure_rate;
  std::vector<PairCounts> lags;          ///< one per lag of the plan
  std::vector<PairCounts> call_lags;     ///< same position, 1.. calls earlier
  std::vector<std::uint32_t> positions;  ///< drops per position
  std::array<std::uint64_t, kGroup + 1> groups{};  ///< words with j drops
  std::vector<std::uint32_t> drops_per_row;

  void merge(const Tally& later);
  /// The same with no structure counted.
  Tally without_structure() const;
  bool operator==(const Tally&) const = default;
};

}  // namespace dropcheck::properties
