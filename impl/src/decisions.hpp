#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace dropcheck::impl {

/// Independent decisions, as many random bits for each as it takes.
///
/// Decision i has a word w of 64 random bits and is "keep" where
/// w < threshold. Its bit 63 - j (j = 0 is the highest) is bit i % 128 of
/// Philox4x32-10 with the key `seed` and the counter (i / 128, j + 1), of 64
/// bits each; the stream of words of philox_words has (., 0). So every bit has
/// its place, whether it is looked at or not: bits are drawn from the highest
/// on, and only until each word is known to be below the threshold or not.
/// That takes about 13 bits a decision for a threshold with many digits, and
/// one bit for 2^63.
struct DecisionRule {
  std::uint64_t seed = 0;
  std::uint64_t threshold = 0;
};

inline constexpr std::size_t kDecisionsPerGroup = 128;

/// Decisions of the groups from `first` on, 128 each: two words of `kept` a
/// group, 1 for "keep", the lowest bit first. Uses the widest vectors that the
/// processor has.
void decide_groups(const DecisionRule& rule, std::uint64_t first,
                   std::size_t groups, std::uint64_t* kept);

/// The same, one decision after the other, by Random123.
void decide_groups_plainly(const DecisionRule& rule, std::uint64_t first,
                           std::size_t groups, std::uint64_t* kept);

/// Decisions by given words, through the comparison that decide_groups makes.
/// Writes ceil(words.size() / 64) words, zeros past the end.
void decide_words(std::uint64_t threshold, std::span<const std::uint64_t> words,
                  std::uint64_t* kept);

/// copy_words of bits.hpp by vectors: `count` whole words from bit `begin` on.
void copy_bits(const std::uint64_t* from, std::size_t begin, std::size_t count,
               std::uint64_t* to);

}  // namespace dropcheck::impl
