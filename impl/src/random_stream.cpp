#include "dropcheck/impl/random_stream.hpp"

#include <Random123/threefry.h>
#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "bits.hpp"
#include "decisions.hpp"
#include "philox.hpp"

namespace dropcheck::impl {

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
  philox_words(counter_, seed_, kBuffered / 2, block_.data());
  counter_ += kBuffered / 2;
  used_ = 0;
}

// Whole blocks go straight to `words`; only the ragged ends pass the buffer.
void RandomStream::fill(std::span<std::uint64_t> words) {
  if (plays_) {
    std::ranges::copy(played(words.size()), words.begin());
    return;
  }
  const std::size_t held = std::min(words.size(), kBuffered - used_);
  std::copy_n(block_.begin() + static_cast<std::ptrdiff_t>(used_), held,
              words.begin());
  used_ += held;
  words = words.subspan(held);
  const std::size_t counters = words.size() / kBuffered * (kBuffered / 2);
  philox_words(counter_, seed_, counters, words.data());
  counter_ += counters;
  for (std::uint64_t& word : words.subspan(2 * counters)) word = next();
}

void RandomStream::hold_decisions(std::uint64_t threshold) {
  constexpr std::size_t kGroups = kHeld / kDecisionsPerGroup;
  const std::uint64_t lot = decided_ / kHeld;
  if (held_.lot == lot && held_.threshold == threshold) return;
  decide_groups({seed_, threshold}, lot * kGroups, kGroups, held_.kept.data());
  held_.lot = lot;
  held_.threshold = threshold;
}

std::uint64_t RandomStream::next_decisions(std::uint64_t threshold,
                                           std::size_t count) {
  std::uint64_t kept = 0;
  for (std::size_t done = 0; done < count;) {
    hold_decisions(threshold);
    const std::size_t begin = decided_ % kHeld;
    const std::size_t part = std::min(count - done, kHeld - begin);
    kept |= bits_at(held_.kept.data(), begin, part) << done;
    decided_ += part;
    done += part;
  }
  return kept;
}

// So many take fewer random bits each, and pass those at hand by.
void RandomStream::decide_many(std::uint64_t threshold, std::size_t count,
                               std::uint64_t* kept) {
  constexpr std::size_t kAtATime = 512 * kDecisionsPerGroup;
  std::array<std::uint64_t, kAtATime / 64> words;
  for (std::size_t done = 0; done < count;) {
    const std::size_t skip = decided_ % kDecisionsPerGroup;
    const std::size_t part =
        std::min(count - done, (kAtATime - skip) / 64 * 64);
    const std::size_t groups =
        (skip + part + kDecisionsPerGroup - 1) / kDecisionsPerGroup;
    decide_groups({seed_, threshold}, decided_ / kDecisionsPerGroup, groups,
                  words.data());
    std::uint64_t* const to = kept + done / 64;
    copy_bits(words.data(), skip, part / 64, to);
    if (part % 64 != 0) {
      to[part / 64] = bits_at(words.data(), skip + part / 64 * 64, part % 64);
    }
    decided_ += part;
    done += part;
  }
}

void RandomStream::decide(const Probability& keep, std::size_t count,
                          std::uint64_t* kept) {
  if (keep.always_keeps()) {
    for (std::size_t i = 0; i < count; i += 64) {
      kept[i / 64] = lowest(std::min<std::size_t>(64, count - i));
    }
    if (plays_) played(count);
    if (!plays_) decided_ += count;
    return;
  }
  const std::uint64_t threshold = keep.keep_threshold();
  if (plays_) return decide_words(threshold, played(count), kept);
  if (count >= kMany) return decide_many(threshold, count, kept);
  for (std::size_t done = 0; done < count;) {
    const std::size_t begin = decided_ % kHeld;
    const std::size_t whole = std::min(kHeld - begin, count - done) / 64;
    if (whole == 0) {
      const std::size_t part = std::min<std::size_t>(64, count - done);
      kept[done / 64] = next_decisions(threshold, part);
      done += part;
      continue;
    }
    hold_decisions(threshold);
    copy_words(held_.kept.data(), begin, whole, kept + done / 64);
    decided_ += 64 * whole;
    done += 64 * whole;
  }
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
