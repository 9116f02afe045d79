// Masks that return in time, and seeds that are not used as they should.
#include <atomic>
#include <chrono>
#include <functional>
#include <thread>
#include <utility>

#include "faulty/draws.hpp"

namespace dropcheck::impl::faulty {
namespace {

void draw_from_start(const Draw& draw) {
  RandomStream stream(draw.seed);
  draw_right(draw, stream);
}

/// Every call uses the second half of the words of the one before.
void draw_overlapping(const Draw& draw) {
  auto& words = draw.words;
  const std::size_t size = draw.mask.kept.size();
  const auto used = static_cast<std::ptrdiff_t>(words.size() / 2);
  words.erase(words.begin(), words.begin() + used);
  while (words.size() < size) words.push_back(draw.stream.next());
  words.resize(size);
  for (std::size_t i = 0; i < size; ++i) {
    draw.mask.kept[i] = decide(draw.drop, words[i]);
  }
}

/// Calls 2t and 2t + 1 have one mask.
void draw_every_second_time(const Draw& draw) {
  RandomStream stream(
      keyed_word(draw.seed, static_cast<std::uint64_t>(draw.call) / 2));
  draw_right(draw, stream);
}

/// One of sixteen masks, chosen at random.
void draw_one_of_sixteen(const Draw& draw) {
  RandomStream stream(keyed_word(draw.seed, draw.stream.next() % 16));
  draw_right(draw, stream);
}

/// The generator starts again after eight calls.
void draw_with_short_period(const Draw& draw) {
  RandomStream stream(
      keyed_word(draw.seed, static_cast<std::uint64_t>(draw.call) % 8));
  draw_right(draw, stream);
}

template <std::uint64_t kMasks>
void draw_cycle(const Draw& draw) {
  RandomStream stream(
      keyed_word(draw.seed, static_cast<std::uint64_t>(draw.call) % kMasks));
  draw_right(draw, stream);
}

void draw_mirrored_calls(const Draw& draw) {
  const auto call = static_cast<std::uint64_t>(draw.call);
  RandomStream stream(keyed_word(draw.seed, call / 2));
  for (std::uint8_t& kept : draw.mask.kept) {
    const std::uint64_t word = stream.next();
    kept = decide(draw.drop, call % 2 == 0 ? word : ~word);
  }
}

/// Keeps the mask in the free words.
void draw_partly_repeated(const Draw& draw) {
  auto& kept = draw.mask.kept;
  const std::vector<std::uint64_t> before = std::move(draw.words);
  draw_right(draw);
  for (std::size_t i = 0; before.size() == kept.size() && i < kept.size();
       ++i) {
    if (uniform(draw.stream.next()) >= 0.2) continue;
    kept[i] = static_cast<std::uint8_t>(before[i]);
  }
  draw.words.assign(kept.begin(), kept.end());
}

void draw_moved_by_row(const Draw& draw) {
  const Shape& shape = draw.mask.shape;
  const auto row = static_cast<std::uint64_t>(shape.empty() ? 1 : shape.back());
  const auto begin = static_cast<std::uint64_t>(draw.call) * row;
  for (std::size_t i = 0; i < draw.mask.kept.size(); ++i) {
    draw.mask.kept[i] = decide(draw.drop, keyed_word(draw.seed, begin + i));
  }
}

void draw_by_thread(const Draw& draw) {
  const std::hash<std::thread::id> hash;
  RandomStream stream(keyed_word(draw.seed, hash(std::this_thread::get_id())));
  draw_right(draw, stream);
}

void draw_by_clock(const Draw& draw) {
  const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
  RandomStream stream(keyed_word(static_cast<std::uint64_t>(now), 1,
                                 static_cast<std::uint64_t>(draw.call)));
  draw_right(draw, stream);
}

/// Of a buffer that is allocated for the call, and somewhere else each time.
void draw_by_address(const Draw& draw) {
  static std::atomic<std::uint64_t> allocated{0};
  const auto address = reinterpret_cast<std::uintptr_t>(&draw.mask);
  RandomStream stream(keyed_word(address, draw.seed, 64 * ++allocated));
  draw_right(draw, stream);
}

void draw_without_rank(const Draw& draw) {
  RandomStream stream(
      keyed_word(draw.seed / 8, static_cast<std::uint64_t>(draw.call)));
  draw_right(draw, stream);
}

void draw_by_magnitude(const Draw& draw) {
  const auto seed = static_cast<std::int64_t>(draw.seed);
  const std::uint64_t magnitude = seed < 0 ? 0 - draw.seed : draw.seed;
  RandomStream stream(
      keyed_word(magnitude, static_cast<std::uint64_t>(draw.call)));
  draw_right(draw, stream);
}

}  // namespace

std::vector<Specimen> call_faults() {
  return {
      {"same_mask_every_call",
       "dropout",
       "independence_calls",
       "every call draws the same mask",
       "The seed is a constant of the graph; Paddle #7796, axon #423.",
       {.draw = draw_from_start}},
      {"same_path_every_call",
       "drop_path",
       "independence_calls",
       "every call drops the same samples",
       "The random state is not threaded through a scan; flax #4950.",
       {.draw = draw_from_start}},
      {"stream_overlap",
       "dropout",
       "independence_calls",
       "a call starts in the middle of the words of the one before",
       "The counter advances by half of what was used.",
       {.draw = draw_overlapping}},
      {"mask_every_second_call_repeated",
       "dropout",
       "independence_calls",
       "two successive calls share a mask",
       "The step number is halved by gradient accumulation.",
       {.draw = draw_every_second_time}},
      {"few_masks",
       "dropout",
       "independence_calls",
       "there are only sixteen masks",
       "A pool of precomputed masks.",
       {.draw = draw_one_of_sixteen}},
      {"short_period",
       "dropout",
       "independence_calls",
       "masks repeat after eight calls",
       "A counter of three bits; pytorch/xla #1932 is the case of one.",
       {.draw = draw_with_short_period}},
      {"mask_of_two_calls_ago",
       "dropout",
       "independence_calls",
       "two masks take turns",
       "Double buffering: the buffer of the call before last is used.",
       {.draw = draw_cycle<2>}},
      {"cycle_of_5",
       "dropout",
       "independence_calls",
       "five masks take turns",
       "A ring of buffers that is filled once.",
       {.draw = draw_cycle<5>}},
      {"cycle_of_64",
       "dropout",
       "long_stream",
       "sixty-four masks take turns",
       "A counter of six bits.",
       {.draw = draw_cycle<64>}},
      {"same_channels_every_call",
       "dropout2d",
       "independence_calls",
       "every call drops the same channels",
       "The mask is made in the constructor; tensorflow #29391.",
       {.draw = draw_from_start}},
      {"same_alpha_mask_every_call",
       "alpha_dropout",
       "independence_calls",
       "every call draws the same mask",
       "A captured graph replays its random numbers; pytorch #84614.",
       {.draw = draw_from_start}},
      {"calls_mirrored",
       "dropout",
       "independence_calls",
       "calls 2t and 2t + 1 mirror each other",
       "Antithetic sampling left on, from call to call.",
       {.draw = draw_mirrored_calls}},
      {"calls_partly_repeated",
       "dropout",
       "independence_calls",
       "one unit in five repeats its decision of the call before",
       "A buffer is refreshed in part.",
       {.draw = draw_partly_repeated}},
      {"calls_overlap_by_row",
       "dropout",
       "independence_calls",
       "a call begins a row further than the one before",
       "The offset advances by rows instead of elements.",
       {.draw = draw_moved_by_row}},
      {"mask_by_thread",
       "dropout",
       "independence_calls",
       "the mask depends on seed and thread alone",
       "ngraph #3006: the same thread gets the same sequence in every call.",
       {.draw = draw_by_thread}},
      {"seed_from_clock",
       "dropout",
       "seeding",
       "the clock decides where the stream begins",
       "time(nullptr) as a seed; the argument is never read.",
       {.draw = draw_by_clock}},
      {"seed_from_address",
       "dropout",
       "seeding",
       "the address of a buffer is hashed into the seed",
       "xformers #173: the pointer is hashed, not what it points to.",
       {.draw = draw_by_address}},
      {"ranks_share_masks",
       "dropout",
       "seeding",
       "eight ranks, the low bits of the seed, have one mask",
       "transformers #31412: the same seed on all ranks.",
       {.draw = draw_without_rank}},
      {"seed_sign_ignored",
       "dropout",
       "seeding",
       "a seed and its negative give the same masks",
       "abs(seed), because the generator takes no sign.",
       {.draw = draw_by_magnitude}},
      {"seed_ignored",
       "dropout",
       "seeding",
       "reseeding starts somewhere else every time",
       "xformers #173: the kernel hashes the address of the seed.",
       {.seeding = Seeding::kIgnored}},
      {"constant_seed",
       "dropout",
       "seeding",
       "every seed is 42",
       "The seed is a default argument; Paddle #7796.",
       {.seeding = Seeding::kConstant}},
  };
}

}  // namespace dropcheck::impl::faulty
