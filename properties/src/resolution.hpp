#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dropcheck/impl/dyadic_fraction.hpp"
#include "sampler.hpp"
#include "word_driver.hpp"

namespace dropcheck::properties {

/// What driving a layer word by word gave.
struct Resolution {
  int word_bits = 0;
  impl::DyadicFraction dropped;  ///< share of all words that drop
  /// Every word was tried. Otherwise the threshold was bisected: exact if the
  /// decision is monotone in the word, which no word tried contradicts.
  bool enumerated = false;
  std::uint64_t words = 0;  ///< decisions that were read
};

/// What to measure, and how far to go.
struct ResolutionTask {
  SubjectPool& pool;
  const impl::Law& law;
  impl::LayerConfig config;
  std::uint64_t key = 0;  ///< of the words that are tried at random
  int most_bits = 24;     ///< wider words are bisected
};

/// The exact drop probability of a layer, given uniform words.
///
/// Proved before it is reported: each decision reads one word, does not change
/// with any other word, and is the same alone, at every place of calls of 1 to
/// 4099 units, and on a layer that was used before.
/// Throws Undrivable with the reason where one of these does not hold, or where
/// words too wide to try are no thresholds; what the layer throws passes.
Resolution measure_resolution(const ResolutionTask& task);

}  // namespace dropcheck::properties
