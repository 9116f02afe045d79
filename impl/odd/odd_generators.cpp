// Other generators than the reference's Philox.
#include <bit>
#include <random>
#include <utility>

#include "dropcheck/impl/random_stream.hpp"
#include "odd/odd_layer.hpp"

namespace dropcheck::impl::odd {
namespace {

/// Steele, Lea and Flood 2014; what Vigna recommends to fill states.
std::uint64_t split_mix(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15;
  std::uint64_t z = state;
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111eb;
  return z ^ (z >> 31U);
}

/// PCG32 (XSH RR), O'Neill 2014; two outputs make a word.
class Pcg {
 public:
  explicit Pcg(std::uint64_t seed) : state_(split_mix(seed)) {}
  std::uint64_t operator()() {
    const std::uint64_t high = half();
    return high << 32U | half();
  }

 private:
  std::uint32_t half() {
    const std::uint64_t old = state_;
    state_ = old * 6364136223846793005U + 1442695040888963407U;
    const auto mixed = static_cast<std::uint32_t>(((old >> 18U) ^ old) >> 27U);
    return std::rotr(mixed, static_cast<int>(old >> 59U));
  }
  std::uint64_t state_;
};

/// xoshiro256++, Blackman and Vigna 2019.
class Xoshiro {
 public:
  explicit Xoshiro(std::uint64_t seed) {
    for (std::uint64_t& word : state_) word = split_mix(seed);
  }
  std::uint64_t operator()() {
    const std::uint64_t result =
        std::rotl(state_[0] + state_[3], 23) + state_[0];
    const std::uint64_t shifted = state_[1] << 17U;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

 private:
  std::uint64_t state_[4];
};

/// Threefry4x64-20 of a counter.
class Threefry {
 public:
  explicit Threefry(std::uint64_t seed) : seed_(seed) {}
  std::uint64_t operator()() { return keyed_word(seed_, count_++, 0x0dd); }

 private:
  std::uint64_t seed_;
  std::uint64_t count_ = 0;
};

/// A hash of the position in the sequence: no state but a counter.
class PositionHash {
 public:
  explicit PositionHash(std::uint64_t seed) : state_(split_mix(seed)) {}
  std::uint64_t operator()() { return split_mix(state_); }

 private:
  std::uint64_t state_;
};

/// The 32-bit Mersenne Twister; two outputs make a word.
class MersenneTwister {
 public:
  explicit MersenneTwister(std::uint64_t seed) : words_(start(seed)) {}
  std::uint64_t operator()() {
    const std::uint64_t high = words_();
    return high << 32U | words_();
  }

 private:
  static std::mt19937 start(std::uint64_t seed) {
    std::seed_seq all{static_cast<std::uint32_t>(seed),
                      static_cast<std::uint32_t>(seed >> 32U)};
    return std::mt19937(all);
  }
  std::mt19937 words_;
};

template <class Generator>
Drawing draws_in_order(std::uint64_t seed) {
  return [words = Generator(seed)](const Sheet& sheet) mutable {
    for (std::uint8_t& kept : sheet.mask.kept) {
      kept = sheet.probability.keeps(words()) ? 1 : 0;
    }
  };
}

Drawing draws_from_the_standard_library(std::uint64_t seed) {
  return [words = std::mt19937_64(seed)](const Sheet& sheet) mutable {
    std::bernoulli_distribution keeps(sheet.probability.keep());
    for (std::uint8_t& kept : sheet.mask.kept) kept = keeps(words) ? 1 : 0;
  };
}

}  // namespace

std::vector<Oddity> odd_generators() {
  return {
      {"pcg", "dropout", "draws by PCG32", draws_in_order<Pcg>},
      {"xoshiro", "dropout", "draws by xoshiro256++", draws_in_order<Xoshiro>},
      {"threefry", "dropout", "draws by Threefry4x64-20",
       draws_in_order<Threefry>},
      {"mersenne_twister", "dropout", "draws by MT19937",
       draws_in_order<MersenneTwister>},
      {"position_hash", "dropout", "hashes the position in the sequence",
       draws_in_order<PositionHash>},
      {"standard_library", "dropout",
       "std::bernoulli_distribution on std::mt19937_64",
       draws_from_the_standard_library},
      {"mersenne_twister_channels", "dropout2d", "draws channels by MT19937",
       draws_in_order<MersenneTwister>},
      {"xoshiro_paths", "drop_path", "draws samples by xoshiro256++",
       draws_in_order<Xoshiro>},
  };
}

}  // namespace dropcheck::impl::odd
