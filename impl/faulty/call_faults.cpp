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
