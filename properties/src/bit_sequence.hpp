#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace dropcheck::properties {

/// Decisions laid end to end, 64 a word, 1 = dropped.
class BitSequence {
 public:
  /// Appends the first `bits` decisions of `words`; bits past them must be 0.
  void append(const std::uint64_t* words, std::int64_t bits);

  std::int64_t bits() const { return bits_; }
  /// All words; the last one may be unfinished.
  std::span<const std::uint64_t> words() const { return words_; }
  /// The words that are full.
  std::span<const std::uint64_t> whole_words() const {
    return {words_.data(), static_cast<std::size_t>(bits_ / 64)};
  }
  /// Forgets the first `count` words.
  void drop_front(std::size_t count);

 private:
  std::vector<std::uint64_t> words_;
  std::int64_t bits_ = 0;
};

}  // namespace dropcheck::properties
