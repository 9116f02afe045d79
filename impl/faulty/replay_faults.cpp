// Masks that follow the law and are not those of the generator that the layer
// declares: Philox4x32-10 keyed by the seed, 64 bits a decision in its order.
// Only a comparison bit for bit can see that.
#include <algorithm>
#include <bit>
#include <vector>

#include "faulty/draws.hpp"

namespace dropcheck::impl::faulty {
namespace {

constexpr std::string_view kDeclared = "philox4x32-10";

/// A fault of a layer that declares its generator.
Fault declared(void (*draw)(const Draw&)) {
  return {.draw = draw, .recipe = kDeclared};
}

bool keeps(const Draw& draw, std::uint64_t word) {
  return Probability::from_drop(draw.drop).keeps(word);
}

/// A vector loop that leaves out a word where its first 1024 units end.
void lose_a_word(const Draw& draw) {
  auto& kept = draw.mask.kept;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (i == 1024) draw.stream.next();
    kept[i] = keeps(draw, draw.stream.next()) ? 1 : 0;
  }
}

void begin_from_half_the_seed(const Draw& draw) {
  if (draw.call == 0) draw.stream.reseed(draw.seed & 0xffffffffU);
  draw_right(draw);
}

void round_the_threshold(const Draw& draw) {
  const auto keep = static_cast<float>(keep_of(draw));
  const auto probability = Probability::from_keep(static_cast<double>(keep));
  for (std::uint8_t& kept : draw.mask.kept) {
    kept = probability.keeps(draw.stream.next()) ? 1 : 0;
  }
}

/// A launch leaves out the block of words that the one before began.
void begin_later_calls_late(const Draw& draw) {
  if (draw.call > 0) {
    for (int i = 0; i < 2; ++i) draw.stream.next();
  }
  draw_right(draw);
}

/// The words of a vector are stored from its last lane on.
void reverse_lanes(const Draw& draw) {
  draw_right(draw);
  auto& kept = draw.mask.kept;
  for (auto lane = kept.begin(); kept.end() - lane >= 8; lane += 8) {
    std::reverse(lane, lane + 8);
  }
}

/// Lane l has the l-th eighth of the units.
void deal_words_to_lanes(const Draw& draw) {
  draw_right(draw);
  auto& kept = draw.mask.kept;
  const std::size_t rows = kept.size() / 8;
  std::vector<std::uint8_t> dealt(kept);
  for (std::size_t i = 0; i < 8 * rows; ++i) {
    dealt[i % 8 * rows + i / 8] = kept[i];
  }
  kept = dealt;
}

void swap_halves_of_words(const Draw& draw) {
  for (std::uint8_t& kept : draw.mask.kept) {
    kept = keeps(draw, std::rotl(draw.stream.next(), 32)) ? 1 : 0;
  }
}

void compare_with_drop(const Draw& draw) {
  const auto drops = Probability::from_keep(draw.drop);
  for (std::uint8_t& kept : draw.mask.kept) {
    kept = drops.keeps(draw.stream.next()) ? 0 : 1;
  }
}

}  // namespace

std::vector<Specimen> replay_faults() {
  constexpr const char* kCheck = "replay";
  return {
      {"replay_one_word_late", "dropout", kCheck,
       "leaves out a word after 1024 units",
       "A vector loop and its tail disagree about the words that are used.",
       declared(lose_a_word)},
      {"replay_half_of_seed", "dropout", kCheck, "keeps 32 bits of its seed",
       "PyTorch's MT19937 takes the low half of a seed; here all is declared.",
       declared(begin_from_half_the_seed)},
      {"replay_threshold_in_f32", "dropout", kCheck,
       "rounds its threshold to f32",
       "1 - p is passed on as a float: off by up to 3e-8, which no sample of a "
       "pull request can show.",
       declared(round_the_threshold)},
      {"replay_later_calls_late", "dropout", kCheck,
       "begins each later call two decisions late",
       "The offset is advanced by the words of whole vectors.",
       declared(begin_later_calls_late)},
      {"replay_lanes_reversed", "dropout", kCheck,
       "stores each eight decisions in the reverse order",
       "Lanes are numbered from the other end than documented.",
       declared(reverse_lanes)},
      {"replay_lanes_dealt", "dropout", kCheck,
       "deals out consecutive words to eight lanes",
       "Each lane has a part of the tensor of its own, the words are in the "
       "order of the lanes.",
       declared(deal_words_to_lanes)},
      {"replay_halves_swapped", "dropout", kCheck,
       "takes the high 32 bits of its words first",
       "Two words are joined in the order of another machine's bytes.",
       declared(swap_halves_of_words)},
      {"replay_compares_with_drop", "dropout", kCheck,
       "drops where U < p, and declares U < 1 - p",
       "The same law, other masks: files recorded by one do not fit the other.",
       declared(compare_with_drop)},
  };
}

}  // namespace dropcheck::impl::faulty
