#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "tally.hpp"
#include "tap_reader.hpp"

namespace dropcheck::properties {

/// A unit of a network that does not follow the law.
struct TapWitness {
  std::size_t tap = 0;
  std::uint64_t block = 0;
  std::int64_t call = 0;  ///< within the block
  std::int64_t unit = 0;
  Fate fate = Fate::kOther;
};

/// What is counted at one tap. Integers only.
struct TapCounts {
  stats::Counts rate;
  std::uint64_t wrong = 0;  ///< units that do not follow the law
  std::uint64_t torn = 0;
  std::uint64_t unread = 0;           ///< units whose decision cannot be told
  std::vector<PairCounts> lags;       ///< units of one call
  std::vector<PairCounts> call_lags;  ///< the same unit in later calls
};

/// Mean and mean square of one block's outputs at one tap.
struct TapMoments {
  double mean = 0;
  double mean_square = 0;
};

/// What is counted over one or many blocks of calls of a network.
struct NetworkTally {
  std::uint64_t blocks = 0;
  std::uint64_t calls = 0;
  std::vector<TapCounts> taps;
  /// Tap j after tap i < j in the same call: at pair_index(i, j).
  std::vector<PairCounts> pairs;
  std::optional<TapWitness> wrong;
  /// One observation a block for each depth of the plan.
  std::vector<std::vector<TapMoments>> moments;

  static std::size_t pair_index(std::size_t i, std::size_t j) {
    return j * (j - 1) / 2 + i;
  }
  /// Merges a later block.
  void merge(const NetworkTally& later);

  std::uint64_t wrong_units() const;
  std::uint64_t torn_units() const;
  std::uint64_t unread_units() const;
};

}  // namespace dropcheck::properties
