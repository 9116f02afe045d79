// Layers that go wrong in what they keep between calls.
#include <mutex>

#include "faulty/draws.hpp"

namespace dropcheck::impl::faulty {
namespace {

/// Whether the mask has another size than in the call before, which `words`
/// remembers; not in the first call.
bool is_resized(const Draw& draw) {
  const std::uint64_t size = draw.mask.kept.size();
  if (draw.words.empty()) draw.words.push_back(size);
  const bool resized = draw.words.front() != size;
  draw.words.front() = size;
  return resized;
}

/// The new buffer is prepared for the mode of the latest call.
void draw_unless_resized_since(const Draw& draw) {
  const bool resized = is_resized(draw);
  if (!(resized && draw.was_evaluated)) draw_right(draw);
}

/// A new size makes a new buffer, with a generator that starts again.
void draw_anew_when_resized(const Draw& draw) {
  if (is_resized(draw)) draw.stream.reseed(draw.seed);
  draw_right(draw);
}

/// Words are drawn in blocks, and what is left of one outlives a reseed.
void draw_from_blocks(const Draw& draw) {
  constexpr std::size_t kBlock = 192;
  for (std::uint8_t& kept : draw.mask.kept) {
    if (draw.leftovers.empty()) {
      draw.leftovers.resize(kBlock);
      draw.stream.fill(draw.leftovers);
    }
    kept = decide(draw.drop, draw.leftovers.back());
    draw.leftovers.pop_back();
  }
}

/// All instances draw from one generator.
void draw_from_shared(const Draw& draw) {
  static std::mutex mutex;
  static RandomStream shared;
  const std::lock_guard lock(mutex);
  if (draw.call == 0) shared.reseed(draw.seed);
  draw_right(draw, shared);
}

}  // namespace

std::vector<Specimen> state_faults() {
  return {
      {"sticky_eval_after_resize",
       "dropout",
       "state",
       "after an evaluation, a call of another size drops nothing",
       "The mask buffer is made again while the mode is that of evaluation.",
       {.draw = draw_unless_resized_since}},
      {"resize_starts_again",
       "dropout",
       "state",
       "a call of another size starts the generator again",
       "One generator a buffer size, all from one seed; tensorflow #29391 is "
       "the case of one size.",
       {.draw = draw_anew_when_resized}},
      {"reseed_keeps_buffer",
       "dropout",
       "state",
       "after a reseed, what is left of a block of words is used first",
       "Random words are buffered, and the seed does not reach the buffer.",
       {.draw = draw_from_blocks}},
      {"shared_generator",
       "dropout",
       "state",
       "all instances draw from one generator, which each may reseed",
       "A global generator behind layers that claim a state of their own; "
       "chainer #1803.",
       {.draw = draw_from_shared}},
      {"backward_draws",
       "dropout",
       "state",
       "a gradient moves the generator on",
       "Recomputation draws again and forgets to put the state back; "
       "OLMo-core #828.",
       {.gradient = Gradient::kDraws}},
      {"clone_starts_again",
       "dropout",
       "state",
       "a clone begins again at the seed of the layer it was made from",
       "The copy is built from the configuration, and the seed is part of it; "
       "keras layers made by from_config.",
       {.cloning = Cloning::kStartsAgain}},
      {"clone_shares_generator",
       "dropout",
       "state",
       "a clone draws from the generator of the layer it was made from",
       "The generator is held by a pointer, and the copy is shallow.",
       {.cloning = Cloning::kSharesGenerator}},
      {"clone_keeps_evaluation",
       "dropout",
       "state",
       "a clone of a layer at evaluation drops nothing in its first call",
       "The mode is copied with the buffers, and set for the layer itself "
       "only.",
       {.cloning = Cloning::kKeepsEvaluation}},
      {"evaluation_draws",
       "dropout",
       "state",
       "an evaluation moves the generator on",
       "The mask is drawn before the mode is looked at.",
       {.evaluation = Evaluation::kDraws}},
  };
}

}  // namespace dropcheck::impl::faulty
