#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace dropcheck::properties {

/// Drop bits of one call, 64 a word.
struct Row {
  std::vector<std::uint64_t> words;
  std::int64_t bits = 0;
};

/// The same run of decisions at two places of different calls.
struct Overlap {
  std::size_t earlier_call = 0;
  std::int64_t earlier_position = 0;
  std::size_t later_call = 0;
  std::int64_t later_position = 0;
  std::int64_t window = 0;  ///< decisions that agree, at least
};

/// Looks for a window of `window` decisions of one call that occurs, at any
/// shift, in a later one. Windows of the earlier calls start at multiples of
/// `window`; those with less than a quarter of the drops (or of the keeps)
/// expected at rate `p0` are passed over, so that a layer that never drops is
/// not called a repetition. `window` must be a multiple of 64.
std::optional<Overlap> find_overlap(std::span<const Row> calls, double p0,
                                    std::int64_t window);

/// ln of the number of window pairs that find_overlap compares.
double log_overlap_pairs(std::size_t calls, std::int64_t bits,
                         std::int64_t window);

}  // namespace dropcheck::properties
