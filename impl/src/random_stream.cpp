#include "dropcheck/impl/random_stream.hpp"

#include <Random123/philox.h>
#include <Random123/threefry.h>
#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace dropcheck::impl {
namespace {

std::uint64_t joined(std::uint32_t low, std::uint32_t high) {
  return (std::uint64_t{high} << 32U) | low;
}

/// The two words of one counter value.
std::array<std::uint64_t, 2> philox(std::uint64_t counter, std::uint64_t seed) {
  const r123::Philox4x32::ctr_type counters = {
      {static_cast<std::uint32_t>(counter),
       static_cast<std::uint32_t>(counter >> 32U), 0, 0}};
  const r123::Philox4x32::key_type key = {
      {static_cast<std::uint32_t>(seed),
       static_cast<std::uint32_t>(seed >> 32U)}};
  const auto words = r123::Philox4x32()(counters, key);
  return {joined(words[0], words[1]), joined(words[2], words[3])};
}

}  // namespace

RandomStream RandomStream::playing(std::span<const std::uint64_t> words) {
  RandomStream stream;
  stream.words_ = words;
  stream.plays_ = true;
  return stream;
}

std::span<const std::uint64_t> RandomStream::played(std::size_t count) {
  if (words_.size() - counter_ < count) {
    throw std::out_of_range(fmt::format(
        "reads more than the {} random words that were given", words_.size()));
  }
  const auto words = words_.subspan(counter_, count);
  counter_ += count;
  return words;
}

// A played word is passed on at once: the last place of the block is the only
// one that is used.
void RandomStream::refill() {
  if (plays_) {
    block_.back() = played(1).front();
    used_ = block_.size() - 1;
    return;
  }
  block_ = philox(counter_, seed_);
  ++counter_;
  used_ = 0;
}

// Whole blocks go straight to `words`; only the ragged ends pass the buffer.
void RandomStream::fill(std::span<std::uint64_t> words) {
  if (plays_) {
    std::ranges::copy(played(words.size()), words.begin());
    return;
  }
  std::size_t i = 0;
  while (i < words.size() && used_ < block_.size()) words[i++] = next();
  for (; i + block_.size() <= words.size(); i += block_.size()) {
    const auto block = philox(counter_++, seed_);
    words[i] = block[0];
    words[i + 1] = block[1];
  }
  while (i < words.size()) words[i++] = next();
}

std::array<std::uint64_t, 4> keyed_words(std::uint64_t key, std::uint64_t a,
                                         std::uint64_t b, std::uint64_t c) {
  const r123::Threefry4x64::ctr_type counter = {{a, b, c, 0}};
  const r123::Threefry4x64::key_type keys = {{key, 0, 0, 0}};
  const auto words = r123::Threefry4x64()(counter, keys);
  return {words[0], words[1], words[2], words[3]};
}

std::uint64_t keyed_word(std::uint64_t key, std::uint64_t a, std::uint64_t b,
                         std::uint64_t c) {
  return keyed_words(key, a, b, c)[0];
}

}  // namespace dropcheck::impl
