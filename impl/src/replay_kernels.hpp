#pragma once

#include <cstddef>
#include <cstdint>

namespace dropcheck::impl {

inline constexpr std::size_t kMersenneState = 624;
/// Words are made so many at a time: the widest vectors.
inline constexpr std::size_t kWordGranule = 16;

/// Continues MT19937: `state` holds its latest 624 words and gets the next
/// `count` behind them, `words` what the generator gives for these. `count` is
/// a multiple of kWordGranule.
void mersenne_words(std::uint32_t* state, std::size_t count,
                    std::uint32_t* words);

/// How a number is read from the words of a decision, and held against a
/// threshold.
struct NumberRule {
  int words = 2;
  bool high_word_first = false;
  int bits = 53;
  bool high_bits = true;
  std::uint64_t threshold = 0;  ///< below 2^bits
};

/// Which of the decisions have a number below the threshold: whole words of 64,
/// those past the end with any bits. Reads `words` up to a multiple of 64
/// decisions.
void numbers_below(const NumberRule& rule, const std::uint32_t* words,
                   std::size_t decisions, std::uint64_t* below);

/// The number of one decision.
std::uint64_t number_of(const NumberRule& rule, const std::uint32_t* words);

}  // namespace dropcheck::impl
