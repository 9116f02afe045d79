#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "dropcheck/impl/probability.hpp"

namespace dropcheck::impl {

/// Philox4x32-10 as a stream of 64-bit words, and of decisions: the generator
/// of the reference layers.
///
/// Order   word i is the pair (2j, 2j+1) of 32-bit outputs, low half first.
///         Two 64-bit words come from one counter value. Decisions have words
///         of their own, of which only the leading bits are drawn that matter
///         (decisions.hpp); they and the other words do not touch each other.
/// Key     the seed; the counter starts at 0 and is 128 bits wide.
/// Source  Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3";
///         equal word for word to Random123's.
class RandomStream {
 public:
  explicit RandomStream(std::uint64_t seed = 0) : seed_(seed) {}

  /// A stream that plays `words`, which must outlive it, and draws nothing. A
  /// read past their end throws std::out_of_range.
  static RandomStream playing(std::span<const std::uint64_t> words);

  void reseed(std::uint64_t seed) { *this = RandomStream(seed); }

  std::uint64_t next() {
    if (used_ == kBuffered) refill();
    return block_[used_++];
  }

  /// The next `words.size()` words of `next`, faster.
  void fill(std::span<std::uint64_t> words);

  /// The next `count` decisions: 1 for a unit that is kept, the lowest bit
  /// first, in ceil(count / 64) words with zeros past the end. Each is
  /// `keep.keeps(w)` of the next decision's word w, or of the next word played.
  void decide(const Probability& keep, std::size_t count, std::uint64_t* kept);

  /// Number of 64-bit words drawn (or played) since the last reseed, decisions
  /// included: one each.
  std::uint64_t drawn() const {
    if (plays_) return counter_;
    return 2 * counter_ - (kBuffered - used_) + decided_;
  }

 private:
  /// Words made at a time: what the widest vectors do at once.
  static constexpr std::size_t kBuffered = 64;

  void refill();
  /// The next `count` words that are played.
  std::span<const std::uint64_t> played(std::size_t count);
  /// Makes the decisions at hand those around number `decided_`.
  void hold_decisions(std::uint64_t threshold);
  /// The next `count` <= 64 decisions.
  std::uint64_t next_decisions(std::uint64_t threshold, std::size_t count);

  void decide_many(std::uint64_t threshold, std::size_t count,
                   std::uint64_t* kept);

  /// Decisions made at a time for requests of fewer than kMany.
  static constexpr std::size_t kHeld = 4096;
  static constexpr std::size_t kMany = 4 * kHeld;
  struct Held {
    std::uint64_t lot = ~std::uint64_t{0};  ///< none yet
    std::uint64_t threshold = 0;
    std::array<std::uint64_t, kHeld / 64> kept{};
  };

  std::uint64_t seed_;
  std::uint64_t counter_ = 0;
  std::array<std::uint64_t, kBuffered> block_{};
  std::size_t used_ = kBuffered;
  std::uint64_t decided_ = 0;
  Held held_;
  std::span<const std::uint64_t> words_;
  bool plays_ = false;
};

/// Calls `f` while `stream` plays `words`, and lets it go on afterwards where
/// it was, also when `f` throws. Returns the number of words that were read.
template <class F>
std::uint64_t while_playing(RandomStream& stream,
                            std::span<const std::uint64_t> words, const F& f) {
  struct Restore {
    RandomStream& stream;
    RandomStream before;
    ~Restore() { stream = before; }
  };
  const Restore restore{stream, stream};
  stream = RandomStream::playing(words);
  f();
  return stream.drawn();
}

/// Threefry4x64-20 of (key, a, b, c) as one 64-bit word: how the oracle makes
/// keys, inputs and configurations. Another family than the layers use.
std::uint64_t keyed_word(std::uint64_t key, std::uint64_t a,
                         std::uint64_t b = 0, std::uint64_t c = 0);

/// All four words of that Threefry block; `keyed_word` is the first.
std::array<std::uint64_t, 4> keyed_words(std::uint64_t key, std::uint64_t a,
                                         std::uint64_t b = 0,
                                         std::uint64_t c = 0);

}  // namespace dropcheck::impl
