#include "triple_counts.hpp"

#include <algorithm>

#include "mask_kernels.hpp"

namespace dropcheck::properties {
namespace {

/// Words a chunk: all shifted copies stay in the second-level cache.
constexpr std::size_t kChunk = 1024;

/// Decisions `shift` before those of `words[i]`; words[-1] exists.
std::uint64_t earlier(const std::uint64_t* words, std::size_t i,
                      std::size_t shift) {
  const std::uint64_t* at = words + i;
  if (shift == 0) return at[0];
  if (shift == 64) return at[-1];
  return at[0] << shift | at[-1] >> (64 - shift);
}

}  // namespace

std::uint64_t TripleCounts::decisions() const {
  std::uint64_t n = 0;
  for (const stats::Counts& context : contexts) n += context.n;
  return n;
}

TripleCounter::TripleCounter() : shifted_(kTripleReach + 1) {
  for (std::size_t near = 1; near <= kTripleReach; ++near) {
    for (std::size_t far = near + 1; far <= kTripleReach; ++far) {
      triples_.push_back({near, far, {}});
    }
  }
}

void TripleCounter::add(const BitSequence& bits) {
  const auto words = bits.whole_words();
  for (std::size_t begin = 1; begin < words.size(); begin += kChunk) {
    add_chunk(words.data() + begin, std::min(kChunk, words.size() - begin));
  }
}

void TripleCounter::add_chunk(const std::uint64_t* words, std::size_t count) {
  for (std::size_t shift = 0; shift <= kTripleReach; ++shift) {
    shifted_[shift].resize(count);
    for (std::size_t i = 0; i < count; ++i) {
      shifted_[shift][i] = earlier(words, i, shift);
    }
  }
  both_.resize(count);
  const std::uint64_t* now = shifted_[0].data();
  const std::uint64_t n = count * 64;
  const std::uint64_t drops = popcount(now, count);
  std::array<std::uint64_t, kTripleReach + 1> single{};
  std::array<std::uint64_t, kTripleReach + 1> joint{};
  for (std::size_t shift = 1; shift <= kTripleReach; ++shift) {
    single[shift] = popcount(shifted_[shift].data(), count);
    joint[shift] = popcount_and(shifted_[shift].data(), now, count);
  }
  for (TripleCounts& triple : triples_) {
    const std::uint64_t* near = shifted_[triple.near].data();
    const std::uint64_t* far = shifted_[triple.far].data();
    for (std::size_t i = 0; i < count; ++i) both_[i] = near[i] & far[i];
    const stats::Counts both{popcount_and(both_.data(), now, count),
                             popcount(both_.data(), count)};
    const stats::Counts one{joint[triple.near] - both.drops,
                            single[triple.near] - both.n};
    const stats::Counts other{joint[triple.far] - both.drops,
                              single[triple.far] - both.n};
    triple.contexts[0] += {drops - one.drops - other.drops - both.drops,
                           n - one.n - other.n - both.n};
    triple.contexts[1] += one;
    triple.contexts[2] += other;
    triple.contexts[3] += both;
  }
}

}  // namespace dropcheck::properties
