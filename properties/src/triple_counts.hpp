#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "bit_sequence.hpp"
#include "dropcheck/stats/counts.hpp"

namespace dropcheck::properties {

/// The farthest of the two earlier decisions.
inline constexpr std::size_t kTripleReach = 64;
inline constexpr double kTriples = kTripleReach * (kTripleReach - 1) / 2.0;

/// Decisions by two earlier ones, `near` and `far` before.
struct TripleCounts {
  std::size_t near = 0;
  std::size_t far = 0;
  /// Neither dropped, the nearer one, the farther one, both.
  std::array<stats::Counts, 4> contexts{};
  std::uint64_t decisions() const;
};

/// Counts all pairs near < far <= 64 over any number of sequences, 64
/// decisions at a time. The first 64 decisions of a sequence are contexts
/// only.
class TripleCounter {
 public:
  TripleCounter();
  void add(const BitSequence& bits);
  const std::vector<TripleCounts>& counts() const { return triples_; }

 private:
  void add_chunk(const std::uint64_t* words, std::size_t count);

  std::vector<TripleCounts> triples_;
  std::vector<std::vector<std::uint64_t>> shifted_;  ///< by 0 .. 64 decisions
  std::vector<std::uint64_t> both_;
};

}  // namespace dropcheck::properties
