#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "dropcheck/impl/mask_recipe.hpp"
#include "replay_kernels.hpp"

namespace dropcheck::impl {

/// Room for words, aligned as the widest vectors are: stores that cross a line
/// of the cache cost twice.
class AlignedWords {
 public:
  explicit AlignedWords(std::size_t count)
      : lines_(std::make_unique_for_overwrite<Line[]>(
            (count + kWordGranule - 1) / kWordGranule)) {}
  std::uint32_t* get() const { return lines_[0].words; }

 private:
  struct alignas(4 * kWordGranule) Line {
    std::uint32_t words[kWordGranule];
  };
  std::unique_ptr<Line[]> lines_;
};

/// The 32-bit words of one generator, in order.
class ReplayWords {
 public:
  static constexpr std::size_t kMost = 8192;

  ReplayWords();
  virtual ~ReplayWords() = default;
  ReplayWords(const ReplayWords&) = delete;
  ReplayWords& operator=(const ReplayWords&) = delete;

  /// The next `count` <= kMost words, valid until the next call; 128 more may
  /// be read behind them, whatever they are.
  const std::uint32_t* take(std::size_t count);

 private:
  /// Writes the next `count` words, a multiple of kWordGranule.
  virtual void make(std::uint32_t* words, std::size_t count) = 0;

  AlignedWords buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

/// Words of kMt19937, kPcg64 or kPhilox4x32 from a seed on.
std::unique_ptr<ReplayWords> words_of(WordGenerator generator,
                                      std::uint64_t seed);

/// Threefry2x32-20 of a counter of two words, as one of 64 bits: the first is
/// the upper half, as in JAX's keys.
std::uint64_t threefry(std::uint64_t key, std::uint64_t counter);

/// The words of jax.random.bits for `count` of them. `by_counter`: see
/// MaskRecipe.
std::unique_ptr<ReplayWords> threefry_words(std::uint64_t key,
                                            std::size_t count, bool by_counter);

/// jax.random.split(key)[index], for two keys.
std::uint64_t threefry_split(std::uint64_t key, std::uint32_t index,
                             bool by_counter);

}  // namespace dropcheck::impl
