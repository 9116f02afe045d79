#include "bit_sequence.hpp"

namespace dropcheck::properties {

void BitSequence::append(const std::uint64_t* words, std::int64_t bits) {
  const auto count = static_cast<std::size_t>((bits + 63) / 64);
  const auto shift = static_cast<int>(bits_ % 64);
  const auto at = static_cast<std::size_t>(bits_ / 64);
  if (shift == 0) {
    words_.insert(words_.end(), words, words + count);
  } else {
    words_.resize(at + count + 1);
    for (std::size_t i = 0; i < count; ++i) {
      words_[at + i] |= words[i] << shift;
      words_[at + i + 1] = words[i] >> (64 - shift);
    }
  }
  bits_ += bits;
  words_.resize(static_cast<std::size_t>((bits_ + 63) / 64));
}

void BitSequence::drop_front(std::size_t count) {
  words_.erase(words_.begin(),
               words_.begin() + static_cast<std::ptrdiff_t>(count));
  bits_ -= 64 * static_cast<std::int64_t>(count);
}

}  // namespace dropcheck::properties
