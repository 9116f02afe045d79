// Streams of random words that are used wrongly over many calls, seeds or
// tensor sizes. Each single mask is right.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <numbers>

#include "faulty/draws.hpp"

namespace dropcheck::impl::faulty {
namespace {

/// Decisions made since the latest reseed; kept in the first of the free words.
std::uint64_t& position(const Draw& draw) {
  if (draw.words.empty()) draw.words.push_back(0);
  return draw.words.front();
}

/// A fault that decides by `word(draw, position)`.
template <class Word>
Fault decides_by(Word word) {
  return {.draw = [word](const Draw& draw) {
    std::uint64_t& at = position(draw);
    for (std::uint8_t& kept : draw.mask.kept) {
      kept = decide(draw.drop, word(draw, at++));
    }
  }};
}

/// A fault that draws a whole right mask from the stream `key(draw)`.
template <class Key>
Fault draws_from(Key key) {
  return {.draw = [key](const Draw& draw) {
    RandomStream stream(key(draw));
    draw_right(draw, stream);
  }};
}

/// With probability 1/50 a unit repeats the decision 97 before it.
void copy_weakly(const Draw& draw) {
  auto& kept = draw.mask.kept;
  for (std::size_t i = 97; i < kept.size(); ++i) {
    if (uniform(draw.stream.next()) < 0.02) kept[i] = kept[i - 97];
  }
}

/// The second half decides by the complements of the first half's words.
void mirror_halves(const Draw& draw) {
  auto& kept = draw.mask.kept;
  const std::size_t half = (kept.size() + 1) / 2;
  RandomStream first = draw.stream;
  draw_right(draw);
  for (std::size_t i = half; i < kept.size(); ++i) {
    kept[i] = decide(draw.drop, ~first.next());
  }
}

/// Decisions of the past, with probability 1/20 as they were 100,003 before.
void repeat_distant_past(const Draw& draw) {
  constexpr std::uint64_t kDistance = 100003;
  std::uint64_t at = position(draw);
  draw.words.resize(kDistance + 1, 2);
  for (std::uint8_t& kept : draw.mask.kept) {
    kept = decide(draw.drop, draw.stream.next());
    std::uint64_t& past = draw.words[1 + at++ % kDistance];
    if (past != 2 && uniform(draw.stream.next()) < 0.05) {
      kept = static_cast<std::uint8_t>(past);
    }
    past = kept;
  }
  position(draw) = at;
}

/// The stream's words return after 2^16 of them.
std::uint64_t word_of_short_counter(const Draw& draw, std::uint64_t at) {
  return keyed_word(draw.seed, at % 65536);
}

/// Threads take 70,000 words each, but start 65,536 apart.
std::uint64_t word_of_overlapping_threads(const Draw& draw, std::uint64_t at) {
  return keyed_word(draw.seed, at / 70000 * 65536 + at % 70000);
}

template <unsigned kBits>
std::uint64_t word_of_wrapping_counter(const Draw& draw, std::uint64_t at) {
  return keyed_word(draw.seed, at % (std::uint64_t{1} << kBits));
}

std::uint64_t word_of_signed_counter(const Draw& draw, std::uint64_t at) {
  const auto counter = static_cast<std::int16_t>(at);
  return keyed_word(draw.seed, static_cast<std::uint64_t>(
                                   std::max<std::int16_t>(counter, 0)));
}

std::uint64_t word_of_saturating_counter(const Draw& draw, std::uint64_t at) {
  return keyed_word(draw.seed, std::min(at, std::uint64_t{1} << 17U));
}

/// `at` with its lower bits gone, as a float of 16 bits would keep it.
std::uint64_t word_of_float_counter(const Draw& draw, std::uint64_t at) {
  const int excess = std::max(0, static_cast<int>(std::bit_width(at)) - 16);
  return keyed_word(draw.seed, at >> static_cast<unsigned>(excess),
                    static_cast<std::uint64_t>(excess));
}

std::uint64_t word_of_overlapping_blocks(const Draw& draw, std::uint64_t at) {
  return keyed_word(draw.seed, at / 8192 * 4096 + at % 8192);
}

/// Decides with the drop probability `drop(right, decisions so far)`.
Fault drops_by_time(double (*drop)(double right, double at)) {
  return {.draw = [drop](const Draw& draw) {
    std::uint64_t& at = position(draw);
    for (std::uint8_t& kept : draw.mask.kept) {
      const double now = drop(draw.drop, static_cast<double>(at++));
      kept = decide(now, draw.stream.next());
    }
  }};
}

double warming_up(double right, double at) {
  return at < 3e5 && right < 1 ? 0 : right;
}
double jumping(double right, double at) {
  return at < 5e5 || right == 1 ? right : 1.2 * right;
}
double oscillating(double right, double at) {
  if (right == 1) return right;
  return right * (1 + 0.2 * std::sin(2 * std::numbers::pi * at / 4e5));
}

/// The seed is where one common stream begins.
std::uint64_t word_from_seed_on(const Draw& draw, std::uint64_t at) {
  return keyed_word(0x5eed, draw.seed + at);
}

/// Half of the words come from one common stream, 977 further for each seed.
std::uint64_t word_partly_common(const Draw& draw, std::uint64_t at) {
  const std::uint64_t own = keyed_word(draw.seed, at, 1);
  return (own & 1U) != 0 ? keyed_word(draw.seed, at)
                         : keyed_word(0x5eed, at + 977 * (draw.seed % 4096));
}

/// Seeds 2k and 2k + 1 use each other's complements.
std::uint64_t word_or_complement(const Draw& draw, std::uint64_t at) {
  const std::uint64_t word = keyed_word(draw.seed & ~std::uint64_t{1}, at);
  return (draw.seed & 1U) != 0 ? ~word : word;
}

/// The stream of the n-th call of one size, from whatever else was called: free
/// words hold sizes and their numbers of calls.
std::uint64_t stream_of_size(const Draw& draw) {
  auto& words = draw.words;
  const std::uint64_t size = draw.mask.kept.size();
  std::size_t i = 0;
  while (i < words.size() && words[i] != size) i += 2;
  if (i == words.size()) words.insert(words.end(), {size, 0});
  return keyed_word(draw.seed, words[i + 1]++);
}

std::vector<Specimen> sequence_faults() {
  return {
      {"copy_at_lag_97", "dropout", "long_stream",
       "one element in fifty repeats the one 97 before it",
       "A lagged generator with a poor recurrence.", then(copy_weakly)},
      {"antithetic_halves",
       "dropout",
       "independence_within",
       "the second half of a mask mirrors the first",
       "Antithetic sampling left on: u for one half, 1 - u for the other.",
       {.draw = mirror_halves}},
      {"distant_copy",
       "dropout",
       "long_stream",
       "one decision in twenty repeats the one 100,003 before it",
       "Streams of different blocks share part of their state.",
       {.draw = repeat_distant_past}},
      {"counter_wraps_at_2_16", "dropout", "long_stream",
       "the stream begins again after 2^16 decisions",
       "A counter of 16 bits; 32 in FlagGems #23 and ffpa-attn #352.",
       decides_by(word_of_short_counter)},
      {"counter_wraps_at_2_18", "dropout", "long_stream",
       "the stream begins again after 2^18 decisions",
       "A counter that is too narrow by far: 2^32 at 4e9 elements looks so.",
       decides_by(word_of_wrapping_counter<18>)},
      {"counter_turns_negative", "dropout", "long_stream",
       "from decision 2^15 on, for 2^31, the counter is negative and cut to 0",
       "An int where an unsigned is due; ffpa-attn #352.",
       decides_by(word_of_signed_counter)},
      {"counter_saturates", "dropout", "long_stream",
       "the counter stays at 2^17 once it is there",
       "Saturating arithmetic: one word for ever after.",
       decides_by(word_of_saturating_counter)},
      {"offset_in_float", "dropout", "long_stream",
       "the offset is a number of 16 significant bits",
       "A float counts to 2^24 and then in steps of two; here to 2^16.",
       decides_by(word_of_float_counter)},
      {"blocks_of_4096_overlap", "dropout", "long_stream",
       "each 8192 words begin in the middle of the 8192 before",
       "A call reserves half of the words that it uses.",
       decides_by(word_of_overlapping_blocks)},
      {"rate_warms_up", "dropout", "long_stream",
       "drops nothing during the first 300,000 decisions",
       "A warm-up of the rate that nobody asked for.",
       drops_by_time(warming_up)},
      {"rate_jumps", "dropout", "long_stream",
       "the rate rises by a fifth after 500,000 decisions",
       "A milestone of a schedule is counted in elements.",
       drops_by_time(jumping)},
      {"rate_oscillates", "dropout", "long_stream",
       "the rate swings by a fifth with a period of 400,000 decisions",
       "A cyclical schedule of the learning rate is wired to dropout.",
       drops_by_time(oscillating)},
      {"threads_overlap", "dropout", "long_stream",
       "words at the end of each 70,000 return at the start of the next",
       "Threads reserve 2^16 words of the counter and use more.",
       decides_by(word_of_overlapping_threads)},
      {"masks_cycle_after_1000", "dropout", "long_stream",
       "call t has the mask of call t - 1000",
       "A pool of precomputed masks that is used in turn.",
       draws_from([](const Draw& draw) {
         return keyed_word(draw.seed,
                           static_cast<std::uint64_t>(draw.call) % 1000);
       })},
      {"rate_drifts",
       "dropout",
       "long_stream",
       "the drop rate falls by a fifth over the first million decisions",
       "A schedule that is advanced by every call instead of every epoch.",
       {.draw =
            [](const Draw& draw) {
              std::uint64_t& at = position(draw);
              for (std::uint8_t& kept : draw.mask.kept) {
                const double progress =
                    std::min(1.0, static_cast<double>(at++) / 1e6);
                kept = decide(draw.drop * (1 - 0.2 * progress),
                              draw.stream.next());
              }
            }}},
  };
}

std::vector<Specimen> seed_faults() {
  return {
      {"seed_of_12_bits", "dropout", "independence_seeds",
       "all seeds together give 4,096 streams",
       "The seed is hashed into the state of a small generator.",
       draws_from([](const Draw& draw) {
         return keyed_word(keyed_word(1, draw.seed) % 4096,
                           static_cast<std::uint64_t>(draw.call));
       })},
      {"seed_of_16_bits", "dropout", "independence_seeds",
       "all seeds together give 65,536 streams",
       "A seed travels through a 16-bit field.",
       draws_from([](const Draw& draw) {
         return keyed_word(keyed_word(1, draw.seed) % 65536,
                           static_cast<std::uint64_t>(draw.call));
       })},
      {"seed_high_half_ignored", "dropout", "seeding",
       "seeds that differ above bit 31 give the same masks",
       "A 64-bit seed is cut to 32 bits; PyTorch's CPU generator.",
       draws_from([](const Draw& draw) {
         return keyed_word(draw.seed & 0xFFFFFFFF,
                           static_cast<std::uint64_t>(draw.call));
       })},
      {"seed_parity_changes_rate", "dropout", "independence_seeds",
       "odd seeds drop a tenth more, even seeds a tenth less",
       "A bit of the seed leaks into the threshold.",
       drops_with([](const Draw& draw, std::size_t) {
         return draw.drop * ((draw.seed & 1U) != 0 ? 1.1 : 0.9);
       })},
      {"seed_shifts_the_stream", "dropout", "independence_seeds",
       "seed s + 1 gives the mask of seed s, moved by one",
       "The seed is taken for the start of a counter.",
       decides_by(word_from_seed_on)},
      {"calls_added_to_seed", "dropout", "independence_seeds",
       "call t + 1 under seed s has the mask of call t under seed s + 1",
       "Seed and number of the call are added, not hashed; Keras on PyTorch.",
       draws_from([](const Draw& draw) {
         return keyed_word(0x5eed,
                           draw.seed + static_cast<std::uint64_t>(draw.call));
       })},
      {"seeds_share_words", "dropout", "independence_seeds",
       "half of all words come from a stream that seeds share, moved",
       "A second generator beside the seeded one is never seeded.",
       decides_by(word_partly_common)},
      {"antithetic_seeds", "dropout", "independence_seeds",
       "seeds 2k and 2k + 1 mirror each other",
       "Bit 0 of a seed selects u or 1 - u.", decides_by(word_or_complement)},
  };
}

std::vector<Specimen> size_faults() {
  return {
      {"sizes_share_stream", "dropout", "independence_seeds",
       "each tensor size has its own generator, all from one seed",
       "Generators cached by shape; every new shape starts the stream again.",
       draws_from(stream_of_size)},
      {"powers_of_two_drop_less", "dropout", "independence_seeds",
       "tensors of 2^k elements drop with half the rate",
       "A fast path for powers of two with a threshold of its own.",
       drops_with([](const Draw& draw, std::size_t) {
         const std::size_t size = draw.mask.kept.size();
         return (size & (size - 1)) == 0 ? draw.drop / 2 : draw.drop;
       })},
  };
}

}  // namespace

std::vector<Specimen> stream_faults() {
  std::vector<Specimen> all = sequence_faults();
  for (const auto group : {seed_faults, size_faults}) {
    for (Specimen& specimen : group()) all.push_back(std::move(specimen));
  }
  return all;
}

}  // namespace dropcheck::impl::faulty
