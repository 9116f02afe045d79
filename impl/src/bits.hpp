#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace dropcheck::impl {

/// The lowest `count` <= 64 bits set.
inline std::uint64_t lowest(std::size_t count) {
  return count == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
}

/// Counters from `first` on that share their upper 32 bits with it.
inline std::size_t counters_of_one_half(std::uint64_t first) {
  return (std::size_t{1} << 32U) - static_cast<std::uint32_t>(first);
}

/// `count` <= 64 bits from bit `begin` of `from` on; reads no word past them.
inline std::uint64_t bits_at(const std::uint64_t* from, std::size_t begin,
                             std::size_t count) {
  std::uint64_t bits = from[begin / 64] >> (begin % 64);
  if (begin % 64 + count > 64) {
    bits |= from[begin / 64 + 1] << (64 - begin % 64);
  }
  return bits & lowest(count);
}

/// `count` whole words from bit `begin` of `from` on, all of which are there.
inline void copy_words(const std::uint64_t* from, std::size_t begin,
                       std::size_t count, std::uint64_t* to) {
  from += begin / 64;
  const std::size_t shift = begin % 64;
  if (shift == 0) {
    std::copy_n(from, count, to);
    return;
  }
  for (std::size_t i = 0; i < count; ++i) {
    to[i] = from[i] >> shift | from[i + 1] << (64 - shift);
  }
}

/// Clears what the last word has past `bits` bits.
inline void clear_past(std::size_t bits, std::uint64_t* words) {
  if (bits % 64 != 0) words[bits / 64] &= lowest(bits % 64);
}

/// Writes bits one after the other, the lowest of a word first.
class BitWriter {
 public:
  explicit BitWriter(std::uint64_t* words) : next_(words) {}

  /// `count` <= 64 bits, zeros above them.
  void append(std::uint64_t bits, std::size_t count) {
    word_ |= bits << held_;
    held_ += count;
    if (held_ < 64) return;
    *next_++ = word_;
    held_ -= 64;
    word_ = held_ == 0 ? 0 : bits >> (count - held_);
  }

  /// `count` bits that are all the same.
  void append_run(bool bit, std::size_t count) {
    const std::uint64_t all = bit ? ~std::uint64_t{0} : 0;
    for (; count > 64; count -= 64) append(all, 64);
    append(all & lowest(count), count);
  }

  /// Writes the last word, with zeros past the end.
  void finish() {
    if (held_ > 0) *next_ = word_;
  }

 private:
  std::uint64_t* next_;
  std::uint64_t word_ = 0;
  std::size_t held_ = 0;
};

}  // namespace dropcheck::impl
