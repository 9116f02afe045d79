#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace dropcheck::impl {

/// Philox4x32-10 as a stream of 64-bit words: the generator of the reference
/// layers.
///
/// Order   word i is the pair (2j, 2j+1) of 32-bit outputs, low half first.
///         Two 64-bit words come from one counter value.
/// Key     the seed; the counter starts at 0 and is 128 bits wide.
/// Source  Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3";
///         the implementation is Random123's.
class RandomStream {
 public:
  explicit RandomStream(std::uint64_t seed = 0) : seed_(seed) {}

  void reseed(std::uint64_t seed) { *this = RandomStream(seed); }

  std::uint64_t next() {
    if (used_ == block_.size()) refill();
    return block_[used_++];
  }

  /// The next `words.size()` words of `next`, faster.
  void fill(std::span<std::uint64_t> words);

  /// Number of 64-bit words drawn since the last reseed.
  std::uint64_t drawn() const { return 2 * counter_ - (block_.size() - used_); }

 private:
  void refill();

  std::uint64_t seed_;
  std::uint64_t counter_ = 0;
  std::array<std::uint64_t, 2> block_{};
  std::size_t used_ = 2;
};

/// Threefry4x64-20 of (key, a, b, c) as one 64-bit word: how the oracle makes
/// keys, inputs and configurations. Another family than the layers use.
std::uint64_t keyed_word(std::uint64_t key, std::uint64_t a,
                         std::uint64_t b = 0, std::uint64_t c = 0);

/// All four words of that Threefry block; `keyed_word` is the first.
std::array<std::uint64_t, 4> keyed_words(std::uint64_t key, std::uint64_t a,
                                         std::uint64_t b = 0,
                                         std::uint64_t c = 0);

}  // namespace dropcheck::impl
