#pragma once

#include <cstddef>
#include <cstdint>

namespace dropcheck::impl {

/// Philox4x32-10 of the `blocks` counter values from `first` on, two 64-bit
/// words each: words[2 j] and words[2 j + 1] of counter first + j, low 32-bit
/// half first. Counter values beyond 2^64 wrap; the seed is the key.
///
/// Uses the widest vectors that the processor has; equal word for word to
/// Random123's. Source: Salmon et al. 2011, "Parallel random numbers: as easy
/// as 1, 2, 3".
void philox_words(std::uint64_t first, std::uint64_t seed, std::size_t blocks,
                  std::uint64_t* words);

}  // namespace dropcheck::impl
