#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dropcheck/impl/law.hpp"

namespace dropcheck::properties {

/// Which elements share a decision, found from their bits in many calls.
struct Partition {
  /// For each element, the smallest element with the same signature; -1 where
  /// nothing is known of it.
  std::vector<std::int64_t> representative;
};

/// Signatures of elements: `masks[t]` holds the drop bits of call t.
Partition infer_partition(const std::vector<std::vector<std::uint64_t>>& masks,
                          std::int64_t elements);

enum class Sharing { kShared, kIndependent, kMixed };

/// Whether a step along each axis stays in the class.
std::vector<Sharing> axis_sharing(const Partition& partition,
                                  const impl::Shape& shape);

/// Which axes share a decision; empty where units are no matter of axes.
std::optional<std::vector<bool>> shared_axes_of(const Partition& partition,
                                                const impl::Shape& shape);

/// How often calls had one mask.
struct Repetition {
  std::size_t distinct = 0;  ///< masks
  double pairs = 0;          ///< of calls with equal masks
};
Repetition count_repetition(
    const std::vector<std::vector<std::uint64_t>>& masks);

/// The inferred unit in words: "per entry", "per sample", "per channel of each
/// sample", "for the whole tensor", "shared along axes 1 and 3", "in groups".
std::string unit_in_words(const Partition& partition,
                          const impl::LayerConfig& config,
                          const impl::Shape& shape);

/// The unit of these shared axes, in the same words.
std::string shared_unit_in_words(const std::vector<bool>& shared,
                                 const impl::Shape& shape);

/// The declared unit in the same words.
std::string declared_unit_in_words(const impl::Law& law,
                                   const impl::LayerConfig& config,
                                   const impl::Shape& shape);

}  // namespace dropcheck::properties
