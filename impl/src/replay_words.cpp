#include "replay_words.hpp"

#include <Random123/threefry.h>

#include <algorithm>
#include <array>
#include <bit>
#include <stdexcept>
#include <vector>

#include "philox.hpp"

namespace dropcheck::impl {
namespace {

constexpr std::size_t kReadBehind = 128;

/// init_genrand of mt19937ar.c: the initial state gives no words itself.
class MersenneWords final : public ReplayWords {
 public:
  explicit MersenneWords(std::uint32_t seed)
      : state_(kMersenneState + kMost + kWordGranule) {
    std::uint32_t* const state = state_.get();
    state[0] = seed;
    for (std::uint32_t i = 1; i < kMersenneState; ++i) {
      const std::uint32_t last = state[i - 1];
      state[i] = 1812433253U * (last ^ last >> 30U) + i;
    }
  }

 private:
  void make(std::uint32_t* words, std::size_t count) override {
    mersenne_words(state_.get(), count, words);
    std::copy_n(state_.get() + count, kMersenneState, state_.get());
  }

  AlignedWords state_;
};

/// NumPy's SeedSequence of one seed (O'Neill's seed_seq_fe, with other
/// constants), which fills PCG64.
class SeedSequence {
 public:
  explicit SeedSequence(std::uint64_t seed)
      : pool_{static_cast<std::uint32_t>(seed),
              static_cast<std::uint32_t>(seed >> 32U), 0, 0} {
    std::uint32_t factor = 0x43b0d7e5U;
    for (std::uint32_t& word : pool_) word = hashed(word, factor);
    for (std::size_t from = 0; from < pool_.size(); ++from) {
      for (std::size_t to = 0; to < pool_.size(); ++to) {
        if (to == from) continue;
        pool_[to] = mixed(pool_[to], hashed(pool_[from], factor));
      }
    }
  }

  /// generate_state(4, uint64).
  std::array<std::uint64_t, 4> state() const {
    std::array<std::uint64_t, 4> state{};
    std::uint32_t factor = 0x8b51f9ddU;
    for (std::size_t i = 0; i < 8; ++i) {
      std::uint32_t word = pool_[i % 4] ^ factor;
      factor *= 0x58f38dedU;
      word *= factor;
      word ^= word >> 16U;
      state[i / 2] |= std::uint64_t{word} << (i % 2 == 0 ? 0U : 32U);
    }
    return state;
  }

 private:
  static std::uint32_t hashed(std::uint32_t value, std::uint32_t& factor) {
    value ^= factor;
    factor *= 0x931e8875U;
    value *= factor;
    return value ^ value >> 16U;
  }
  static std::uint32_t mixed(std::uint32_t x, std::uint32_t y) {
    const std::uint32_t value = 0xca01f9ddU * x - 0x4973f715U * y;
    return value ^ value >> 16U;
  }

  std::array<std::uint32_t, 4> pool_;
};

__extension__ using Wide = unsigned __int128;

constexpr Wide wide(std::uint64_t high, std::uint64_t low) {
  return static_cast<Wide>(high) << 64U | low;
}

/// PCG64: a congruential generator of 128 bits, XSL RR output (O'Neill 2014).
class PcgWords final : public ReplayWords {
 public:
  explicit PcgWords(std::uint64_t seed) {
    const auto start = SeedSequence(seed).state();
    increment_ = wide(start[2], start[3]) << 1U | 1U;
    step();
    state_ += wide(start[0], start[1]);
    step();
  }

 private:
  void step() {
    constexpr Wide kFactor = wide(0x2360ed051fc65da4U, 0x4385df649fccf645U);
    state_ = state_ * kFactor + increment_;
  }

  void make(std::uint32_t* words, std::size_t count) override {
    for (std::size_t i = 0; i < count; i += 2) {
      step();
      const auto high = static_cast<std::uint64_t>(state_ >> 64U);
      const std::uint64_t word =
          std::rotr(high ^ static_cast<std::uint64_t>(state_),
                    static_cast<int>(high >> 58U));
      words[i] = static_cast<std::uint32_t>(word);
      words[i + 1] = static_cast<std::uint32_t>(word >> 32U);
    }
  }

  Wide state_ = 0;
  Wide increment_ = 0;
};

class PhiloxWords final : public ReplayWords {
 public:
  explicit PhiloxWords(std::uint64_t seed) : seed_(seed) {}

 private:
  void make(std::uint32_t* words, std::size_t count) override {
    pairs_.resize(count / 2);
    philox_words(counter_, seed_, count / 4, pairs_.data());
    counter_ += count / 4;
    for (std::size_t i = 0; i < pairs_.size(); ++i) {
      words[2 * i] = static_cast<std::uint32_t>(pairs_[i]);
      words[2 * i + 1] = static_cast<std::uint32_t>(pairs_[i] >> 32U);
    }
  }

  std::uint64_t seed_;
  std::uint64_t counter_ = 0;
  std::vector<std::uint64_t> pairs_;
};

std::uint32_t upper(std::uint64_t pair) {
  return static_cast<std::uint32_t>(pair >> 32U);
}
std::uint32_t lower(std::uint64_t pair) {
  return static_cast<std::uint32_t>(pair);
}
std::uint64_t pair_of(std::uint64_t first, std::uint64_t second) {
  return first << 32U | second;
}

class CounterWords final : public ReplayWords {
 public:
  explicit CounterWords(std::uint64_t key) : key_(key) {}

 private:
  void make(std::uint32_t* words, std::size_t count) override {
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint64_t both = threefry(key_, counter_++);
      words[i] = upper(both) ^ lower(both);
    }
  }

  std::uint64_t key_;
  std::uint64_t counter_ = 0;
};

/// The counters 0 to count - 1 and, where that is odd, a 0, cut in two halves:
/// words of a counter of both stand in the halves of the result.
class HalvesWords final : public ReplayWords {
 public:
  HalvesWords(std::uint64_t key, std::size_t count)
      : key_(key), count_(count), half_((count + 1) / 2) {}

 private:
  std::uint32_t word(std::uint64_t i) const {
    const std::uint64_t first = i < half_ ? i : i - half_;
    const std::uint64_t second = first + half_ < count_ ? first + half_ : 0;
    const std::uint64_t both = threefry(key_, pair_of(first, second));
    return i < half_ ? upper(both) : lower(both);
  }

  void make(std::uint32_t* words, std::size_t count) override {
    for (std::size_t i = 0; i < count; ++i) words[i] = word(at_++);
  }

  std::uint64_t key_;
  std::uint64_t count_;
  std::uint64_t half_;
  std::uint64_t at_ = 0;
};

}  // namespace

ReplayWords::ReplayWords() : buffer_(kMost + kWordGranule + kReadBehind) {}

const std::uint32_t* ReplayWords::take(std::size_t count) {
  if (end_ - begin_ < count) {
    std::copy(buffer_.get() + begin_, buffer_.get() + end_, buffer_.get());
    end_ -= begin_;
    begin_ = 0;
    const std::size_t missing =
        (count - end_ + kWordGranule - 1) / kWordGranule * kWordGranule;
    make(buffer_.get() + end_, missing);
    end_ += missing;
    std::fill_n(buffer_.get() + end_, kReadBehind, 0);
  }
  begin_ += count;
  return buffer_.get() + begin_ - count;
}

std::unique_ptr<ReplayWords> words_of(WordGenerator generator,
                                      std::uint64_t seed) {
  switch (generator) {
    case WordGenerator::kMt19937:
      return std::make_unique<MersenneWords>(static_cast<std::uint32_t>(seed));
    case WordGenerator::kPcg64:
      return std::make_unique<PcgWords>(seed);
    case WordGenerator::kPhilox4x32:
      return std::make_unique<PhiloxWords>(seed);
    case WordGenerator::kThreefry2x32:
    case WordGenerator::kPhiloxPlanes:
      break;
  }
  throw std::invalid_argument("the generator has no words of its own");
}

std::uint64_t threefry(std::uint64_t key, std::uint64_t counter) {
  const auto words = r123::Threefry2x32()({{upper(counter), lower(counter)}},
                                          {{upper(key), lower(key)}});
  return pair_of(words[0], words[1]);
}

std::unique_ptr<ReplayWords> threefry_words(std::uint64_t key,
                                            std::size_t count,
                                            bool by_counter) {
  if (by_counter) return std::make_unique<CounterWords>(key);
  return std::make_unique<HalvesWords>(key, count);
}

std::uint64_t threefry_split(std::uint64_t key, std::uint32_t index,
                             bool by_counter) {
  if (by_counter) return threefry(key, index);
  const std::uint64_t first = threefry(key, pair_of(0, 2));
  const std::uint64_t second = threefry(key, pair_of(1, 3));
  return index == 0 ? pair_of(upper(first), upper(second))
                    : pair_of(lower(first), lower(second));
}

}  // namespace dropcheck::impl
