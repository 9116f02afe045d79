#include <cmath>

#include "faulty/draws.hpp"

namespace dropcheck::impl::faulty {
namespace {

/// Unit i copies the decision of unit `source(i)`, which comes before it.
Fault copies(std::size_t (*source)(std::size_t)) {
  return then([source](const Draw& draw) {
    auto& kept = draw.mask.kept;
    for (std::size_t i = 0; i < kept.size(); ++i) kept[i] = kept[source(i)];
  });
}

/// With probability 1/100 a unit repeats its neighbour's decision. The rate is
/// right, and so is everything else that looks at one unit.
void follow_neighbours(const Draw& draw) {
  auto& kept = draw.mask.kept;
  for (std::size_t i = 1; i < kept.size(); ++i) {
    if (uniform(draw.stream.next()) < 1e-2) kept[i] = kept[i - 1];
  }
}

/// Units 2i and 2i + 1 decide by a word and by its complement.
void mirror_pairs(const Draw& draw) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < draw.mask.kept.size(); ++i) {
    word = i % 2 == 0 ? draw.stream.next() : ~word;
    draw.mask.kept[i] = decide(draw.drop, word);
  }
}

Fault exactly_per(std::size_t group) {
  return {.draw = [group](const Draw& draw) {
    const std::size_t size = draw.mask.kept.size();
    const std::size_t step = group == 0 ? size : group;
    for (std::size_t first = 0; first < size; first += step) {
      drop_exactly(draw, first, std::min(size, first + step));
    }
  }};
}

/// The rate goes up or down by half the room, by a coin for each call.
void draw_with_random_rate(const Draw& draw) {
  const bool up = (draw.stream.next() & 1U) != 0;
  const double change = (up ? 1 : -1) * half_room(draw.drop);
  for (std::uint8_t& kept : draw.mask.kept) {
    kept = decide(draw.drop + change, draw.stream.next());
  }
}

/// The rate goes up or down by half the room, by a coin for each 32 units.
void draw_with_random_rate_per_warp(const Draw& draw) {
  double change = 0;
  for (std::size_t i = 0; i < draw.mask.kept.size(); ++i) {
    if (i % 32 == 0) {
      const bool up = (draw.stream.next() & 1U) != 0;
      change = (up ? 1 : -1) * half_room(draw.drop);
    }
    draw.mask.kept[i] = decide(draw.drop + change, draw.stream.next());
  }
}

/// Rates by position along axis 1 (the last axis below rank 2): even ones up a
/// tenth, odd ones down a tenth.
double rate_by_channel(const Draw& draw, std::size_t i) {
  const Shape& shape = draw.mask.shape;
  if (shape.empty()) return draw.drop;
  const std::size_t axis = shape.size() > 1 ? 1 : 0;
  const auto stride = static_cast<std::size_t>(compact_strides(shape)[axis]);
  const auto extent = static_cast<std::size_t>(shape[axis]);
  const bool even = i / stride % extent % 2 == 0;
  return draw.drop + (even ? 1 : -1) * half_room(draw.drop) / 5;
}

std::vector<Specimen> dependence_faults() {
  return {
      {"lanes_of_4", "dropout", "independence_within",
       "four neighbours share a decision",
       "pytorch #198333: the compiled kernel uses one word for four lanes.",
       copies([](std::size_t i) { return i - i % 4; })},
      {"lanes_of_2_channels", "dropout2d", "independence_within",
       "pairs of channels share a decision",
       "Two lanes of a vector read one word.",
       copies([](std::size_t i) { return i - i % 2; })},
      {"tile_repeats", "dropout", "independence_within",
       "the mask repeats with period 256",
       "Every thread block starts the same sequence; ngraph #3006.",
       copies([](std::size_t i) { return i % 256; })},
      {"neighbour_correlation_1e-2",
       "dropout",
       "independence_within",
       "one element in a hundred repeats its neighbour",
       "A generator whose successive outputs are correlated.",
       then(follow_neighbours),
       {},
       {.profile = "pr", .effect = "a correlation of 0.01"}},
      {"mirrored_pairs",
       "dropout",
       "independence_within",
       "pairs decide by a word and its complement",
       "Antithetic sampling left on; both halves of a word used badly.",
       {.draw = mirror_pairs}},
      {"exact_count", "dropout", "unit_counts",
       "drops the same number in every 64 elements",
       "Sampling without replacement instead of independent decisions.",
       exactly_per(64)},
      {"exact_count_per_call", "dropout", "unit_counts",
       "drops the same number in every call",
       "torch.randperm(n)[:k] in the place of a Bernoulli mask.",
       exactly_per(0)},
      {"rate_per_call",
       "dropout",
       "unit_counts",
       "draws another rate for every call",
       "A scheduled rate that jitters around its value.",
       {.draw = draw_with_random_rate}},
      {"rate_per_warp",
       "dropout",
       "unit_counts",
       "draws another rate for every 32 elements",
       "Threads of a warp share part of their random state.",
       {.draw = draw_with_random_rate_per_warp}},
  };
}

std::vector<Specimen> position_faults() {
  return {
      {"vector_tail_never_dropped",
       "dropout",
       "homogeneity",
       "keeps the last size % 8 elements",
       "The scalar loop after the vector loop is missing.",
       then([](const Draw& draw) {
         auto& kept = draw.mask.kept;
         const std::size_t tail = kept.size() % 8;
         std::fill(kept.end() - static_cast<std::ptrdiff_t>(tail), kept.end(),
                   std::uint8_t{1});
       }),
       {},
       {.profile = "pr",
        .drop_probability = 0.3,
        .effect = "7 positions of 65,311"}},
      {"first_position_never_dropped",
       "dropout",
       "homogeneity",
       "keeps the first element",
       "The first word of a fresh generator is a constant.",
       then([](const Draw& draw) {
         if (!draw.mask.kept.empty()) draw.mask.kept[0] = 1;
       }),
       {},
       {.profile = "pr",
        .drop_probability = 0.3,
        .effect = "one position of 65,311"}},
      {"beyond_1024_dropped", "dropout", "homogeneity",
       "drops everything from element 1024 on",
       "Paddle #31455: the launch covers 1024 elements.",
       drops_with([](const Draw& draw, std::size_t i) {
         return i < 1024 ? draw.drop : 1.0;
       })},
      {"rate_by_channel",
       "dropout",
       "homogeneity",
       "even channels drop more, odd ones less",
       "A random bit is shared by threshold and lane number.",
       drops_with(rate_by_channel),
       {},
       {.profile = "pr", .effect = "rates 0.01 apart"}},
      {"first_channel_drops_less",
       "dropout2d",
       "homogeneity",
       "channel 0 drops with half the rate",
       "The channel index enters the hash without mixing.",
       drops_with([](const Draw& draw, std::size_t i) {
         const auto channels = static_cast<std::size_t>(
             draw.mask.shape.size() > 1 ? draw.mask.shape[1] : 1);
         return channels > 1 && i % channels == 0 ? draw.drop / 2 : draw.drop;
       }),
       {},
       {.profile = "pr", .effect = "half the rate in one channel"}},
  };
}

}  // namespace

std::vector<Specimen> pattern_faults() {
  std::vector<Specimen> all = dependence_faults();
  for (Specimen& specimen : position_faults()) {
    all.push_back(std::move(specimen));
  }
  return all;
}

}  // namespace dropcheck::impl::faulty
