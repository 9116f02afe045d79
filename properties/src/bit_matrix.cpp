#include "bit_matrix.hpp"

#include <algorithm>
#include <array>

#include "mask_kernels.hpp"

namespace dropcheck::properties {

// Halves swap corners, then quarters, and so on (Warren, Hacker's Delight 7-3).
void transpose_64(std::uint64_t* words) {
  std::uint64_t mask = 0x00000000FFFFFFFF;
  for (unsigned step = 32; step != 0; step >>= 1U, mask ^= mask << step) {
    for (unsigned i = 0; i < 64; i = (i + step + 1) & ~step) {
      const std::uint64_t swapped =
          ((words[i] >> step) ^ words[i + step]) & mask;
      words[i] ^= swapped << step;
      words[i + step] ^= swapped;
    }
  }
}

BitMatrix::BitMatrix(std::size_t units)
    : rows_(units), words_per_call_((units + 63) / 64) {}

void BitMatrix::add_call(const std::uint64_t* words) {
  pending_.insert(pending_.end(), words, words + words_per_call_);
  ++calls_;
  if (calls_ % 64 == 0) transpose_pending();
}

void BitMatrix::finish() {
  if (!pending_.empty()) transpose_pending();
}

void BitMatrix::transpose_pending() {
  std::array<std::uint64_t, 64> square{};
  const std::size_t calls = pending_.size() / words_per_call_;
  for (std::size_t word = 0; word < words_per_call_; ++word) {
    square.fill(0);
    for (std::size_t call = 0; call < calls; ++call) {
      square[call] = pending_[call * words_per_call_ + word];
    }
    transpose_64(square.data());
    const std::size_t last = std::min(rows_.size(), (word + 1) * 64);
    for (std::size_t unit = word * 64; unit < last; ++unit) {
      rows_[unit].push_back(square[unit % 64]);
    }
  }
  pending_.clear();
}

std::uint64_t BitMatrix::drops(std::size_t unit) const {
  return popcount(rows_[unit].data(), rows_[unit].size());
}

std::uint64_t BitMatrix::joint(std::size_t a, std::size_t b) const {
  return popcount_and(rows_[a].data(), rows_[b].data(), rows_[a].size());
}

}  // namespace dropcheck::properties
