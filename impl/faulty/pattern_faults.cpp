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

/// With probability 1 / kOneIn a unit repeats the decision kLag before it.
template <std::size_t kLag, int kOneIn>
void follow(const Draw& draw) {
  auto& kept = draw.mask.kept;
  for (std::size_t i = kLag; i < kept.size(); ++i) {
    if (uniform(draw.stream.next()) * kOneIn < 1) kept[i] = kept[i - kLag];
  }
}

std::size_t row_length(const Draw& draw) {
  const Shape& shape = draw.mask.shape;
  return shape.empty() ? 1 : static_cast<std::size_t>(shape.back());
}

void repeat_rows(const Draw& draw) {
  auto& kept = draw.mask.kept;
  const std::size_t distance = 8 * row_length(draw);
  for (std::size_t i = distance; i < kept.size(); ++i) {
    kept[i] = kept[i - distance];
  }
}

void shift_rows(const Draw& draw) {
  auto& kept = draw.mask.kept;
  const std::size_t length = row_length(draw);
  if (length < 2) return;
  for (std::size_t i = length; i < kept.size(); ++i) {
    if (i % length + 1 < length) kept[i] = kept[i - length + 1];
  }
}

/// After a drop comes a keep; the rate is right on average.
void never_two_neighbours(const Draw& draw) {
  const double after_keep = clamped(draw.drop / (1 - draw.drop));
  bool dropped = false;
  for (std::uint8_t& kept : draw.mask.kept) {
    kept = draw.drop >= 1 ? 0
           : dropped      ? 1
                          : decide(after_keep, draw.stream.next());
    dropped = kept == 0;
  }
}

/// After a drop half of the units drop too; the rate is right on average.
void draw_clusters(const Draw& draw) {
  if (draw.drop <= 0 || draw.drop > 0.5) return draw_right(draw);
  const double after_keep = draw.drop / (1 - draw.drop) / 2;
  bool dropped = decide(draw.drop, draw.stream.next()) == 0;
  for (std::uint8_t& kept : draw.mask.kept) {
    kept = decide(dropped ? 0.5 : after_keep, draw.stream.next());
    dropped = kept == 0;
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
      {"lanes_of_2", "dropout", "independence_within",
       "two neighbours share a decision",
       "Both halves of a 64-bit word are compared as one.",
       copies([](std::size_t i) { return i - i % 2; })},
      {"lanes_of_3", "dropout", "independence_within",
       "three neighbours share a decision",
       "Three colours of a pixel are read as one element.",
       copies([](std::size_t i) { return i - i % 3; })},
      {"lanes_of_32", "dropout", "independence_within",
       "32 neighbours share a decision",
       "One word a warp: its lane number is left out of the counter.",
       copies([](std::size_t i) { return i - i % 32; })},
      {"lanes_32_apart", "dropout", "independence_within",
       "units 32 apart share a decision in pairs",
       "Two warps have one counter.",
       copies([](std::size_t i) { return i % 64 < 32 ? i : i - 32; })},
      {"lanes_of_4_channels", "dropout2d", "independence_within",
       "groups of four channels share a decision",
       "pytorch #198333: four channels a word in the compiled kernel.",
       copies([](std::size_t i) { return i - i % 4; })},
      {"lanes_of_2_paths", "drop_path", "independence_within",
       "pairs of samples share a decision",
       "Samples are augmented twice and share what is drawn.",
       copies([](std::size_t i) { return i - i % 2; })},
      {"tile_of_64_repeats", "dropout", "independence_within",
       "the mask repeats with period 64",
       "One word of bits is used for every group of 64.",
       copies([](std::size_t i) { return i % 64; })},
      {"tile_of_1000_repeats", "dropout", "long_stream",
       "the mask repeats with period 1000",
       "A mask is drawn for one tile and laid over all of them.",
       copies([](std::size_t i) { return i % 1000; })},
      {"rows_repeat", "dropout", "independence_within",
       "every row repeats the one eight rows before",
       "A thread block of eight rows begins its sequence anew.",
       then(repeat_rows)},
      {"rows_shifted", "dropout", "independence_within",
       "every row is the row before, moved by one",
       "Row r begins r words into one common stream.", then(shift_rows)},
      {"checkerboard",
       "dropout",
       "independence_within",
       "never drops two neighbours",
       "Drops are spread out on purpose.",
       {.draw = never_two_neighbours}},
      {"clustered",
       "dropout",
       "independence_within",
       "half of all drops draw their neighbour with them",
       "A mask that is dilated, as for DropBlock, and thinned.",
       {.draw = draw_clusters}},
      {"neighbour_correlation_1e-1",
       "dropout",
       "independence_within",
       "one element in ten repeats its neighbour",
       "A generator whose successive outputs are correlated.",
       then(follow<1, 10>),
       {},
       {.effect = "a correlation of 0.1"}},
      {"neighbour_correlation_1e-3",
       "dropout",
       "independence_within",
       "one element in a thousand repeats its neighbour",
       "A generator whose successive outputs are hardly correlated.",
       then(follow<1, 1000>),
       {},
       {.profile = "nightly", .effect = "a correlation of 0.001"}},
      {"lag_5_correlation_1e-1",
       "dropout",
       "independence_within",
       "one element in ten repeats the one five before",
       "A lagged Fibonacci generator with a short lag.",
       then(follow<5, 10>),
       {},
       {.effect = "a correlation of 0.1 at lag 5"}},
      {"lag_64_correlation_1e-2",
       "dropout",
       "independence_within",
       "one element in a hundred repeats the one 64 before",
       "Words of a vector leak into the next vector.",
       then(follow<64, 100>),
       {},
       {.profile = "pr", .effect = "a correlation of 0.01 at lag 64"}},
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
      {"beyond_1024_kept", "dropout", "homogeneity",
       "keeps everything from element 1024 on",
       "The grid of a kernel covers 1024 elements; AiDotNet.Tensors #732.",
       drops_with([](const Draw& draw, std::size_t i) {
         return i < 1024 || draw.drop >= 1 ? draw.drop : 0.0;
       })},
      {"rate_ramps", "dropout", "homogeneity",
       "the rate rises along the tensor, from half to one and a half",
       "The position enters the threshold.",
       drops_with([](const Draw& draw, std::size_t i) {
         const auto size = static_cast<double>(draw.mask.kept.size());
         const double place = static_cast<double>(i) / size - 0.5;
         return draw.drop + 2 * place * half_room(draw.drop);
       })},
      {"second_half_drops_more", "dropout", "homogeneity",
       "the second half drops a third more, the first a third less",
       "Two devices compute one tensor, each with a rate of its own.",
       drops_with([](const Draw& draw, std::size_t i) {
         const bool second = 2 * i >= draw.mask.kept.size();
         const double step = half_room(draw.drop) * 2 / 3;
         return draw.drop + (second ? step : -step);
       })},
      {"every_16th_never_dropped", "dropout", "homogeneity",
       "keeps every 16th element", "One lane of a vector is masked off.",
       then([](const Draw& draw) {
         if (draw.drop >= 1) return;
         auto& kept = draw.mask.kept;
         for (std::size_t i = 15; i < kept.size(); i += 16) kept[i] = 1;
       })},
      {"border_never_dropped", "dropout", "homogeneity",
       "keeps the first and the last 5 % of the elements",
       "Padding is excluded, although there is none.",
       then([](const Draw& draw) {
         if (draw.drop >= 1) return;
         auto& kept = draw.mask.kept;
         for (std::size_t i = 0; i < kept.size() / 20; ++i) {
           kept[i] = kept[kept.size() - 1 - i] = 1;
         }
       })},
      {"last_channel_never_dropped",
       "dropout2d",
       "homogeneity",
       "keeps the last channel of each sample",
       "A loop ends one channel early.",
       then([](const Draw& draw) {
         const auto channels = static_cast<std::size_t>(
             draw.mask.shape.size() > 1 ? draw.mask.shape[1] : 1);
         if (channels < 2 || draw.drop >= 1) return;
         auto& kept = draw.mask.kept;
         for (std::size_t i = channels - 1; i < kept.size(); i += channels) {
           kept[i] = 1;
         }
       }),
       {},
       {.profile = "pr", .effect = "one channel in 66"}},
      {"first_sample_never_dropped",
       "drop_path",
       "homogeneity",
       "keeps the first sample of every batch",
       "The anchor of the batch is spared; nobody says so.",
       then([](const Draw& draw) {
         if (draw.drop < 1 && !draw.mask.kept.empty()) draw.mask.kept[0] = 1;
       }),
       {},
       {.profile = "pr",
        .drop_probability = 0.3,
        .effect = "one sample of 4,093"}},
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
