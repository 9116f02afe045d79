#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dropcheck/stats/counts.hpp"

namespace dropcheck::properties {

/// What a long sequence of decisions looked like on its way, for the words of
/// a refutation only.
class StreamHistory {
 public:
  StreamHistory(std::int64_t calls, std::int64_t units_per_call);

  /// The mask of the next call, with zeros past its end.
  void add(const std::uint64_t* words);

  /// How the rate moves in time; empty if it does not.
  std::optional<std::string> drift() const;

  /// A counter that stands still, or loses its last bits from some number of
  /// decisions on; empty if neither is seen.
  std::optional<std::string> counter() const;

 private:
  /// Pairs of neighbours 2i and 2i + 1, in a part of the sequence.
  struct Neighbours {
    std::uint64_t drops = 0;
    std::uint64_t both = 0;
    std::uint64_t pairs = 0;
    double correlation() const;
  };
  void add_run(std::uint64_t drops, std::int64_t bits, std::int64_t begin);

  std::int64_t calls_;
  std::int64_t units_;
  std::int64_t call_ = 0;
  std::vector<stats::Counts> parts_;
  /// By the number of binary digits of the decision's number.
  std::array<Neighbours, 64> octaves_{};
  std::int64_t run_begin_ = 0;  ///< of equal words, the latest
  bool run_drops_ = false;
  std::int64_t longest_begin_ = 0;
  std::int64_t longest_end_ = 0;
};

}  // namespace dropcheck::properties
