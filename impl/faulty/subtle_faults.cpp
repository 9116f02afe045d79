// What no test of single decisions, neighbours or a few thousand calls sees.
#include <cmath>

#include "faulty/draws.hpp"

namespace dropcheck::impl::faulty {
namespace {

/// One distant unit repeats another one's decision every second time.
void tie_distant_units(const Draw& draw) {
  auto& kept = draw.mask.kept;
  constexpr std::size_t kFirst = 17;
  constexpr std::size_t kSecond = 483;
  if (kept.size() <= kSecond) return;
  if (uniform(draw.stream.next()) < 0.5) kept[kSecond] = kept[kFirst];
}

/// Decisions depend on the product of the two that are 11 and 29 before, and on
/// neither of them alone: every pair is independent.
void draw_by_product(const Draw& draw) {
  auto& kept = draw.mask.kept;
  const double p = draw.drop;
  if (p <= 0 || p >= 1) return draw_right(draw);
  // Largest change that keeps the rate within [0, 1] in every context.
  const double odds = std::max(p / (1 - p), (1 - p) / p);
  const double strength = 0.9 * std::min(p, 1 - p) / odds;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    double change = 0;
    if (i >= 29) {
      const double near = (kept[i - 11] != 0 ? 0.0 : 1.0) - p;
      const double far = (kept[i - 29] != 0 ? 0.0 : 1.0) - p;
      change = strength * near * far / (p * (1 - p));
    }
    kept[i] = decide(p + change, draw.stream.next());
  }
}

/// The rate is up by a tenth of the room after an even number of drops among
/// the eight decisions before, and down after an odd one; on average right.
void draw_by_parity(const Draw& draw) {
  auto& kept = draw.mask.kept;
  const double p = draw.drop;
  const double odd = (1 - std::pow(1 - 2 * p, 8)) / 2;
  const double step = half_room(p) / 2;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    double change = 0;
    if (i >= 8) {
      std::size_t drops = 0;
      for (std::size_t k = 1; k <= 8; ++k) drops += kept[i - k] == 0 ? 1U : 0U;
      change = drops % 2 == 0 ? 2 * step * odd : -2 * step * (1 - odd);
    }
    kept[i] = decide(p + change, draw.stream.next());
  }
}

/// A whole call is dropped or kept, too often dropped.
void draw_whole_calls(const Draw& draw) {
  const double drop = clamped(draw.drop + half_room(draw.drop));
  const std::uint8_t decision = decide(drop, draw.stream.next());
  for (std::uint8_t& kept : draw.mask.kept) kept = decision;
}

/// Groups of 32 units share a decision, and drop too often.
void draw_wrong_groups(const Draw& draw) {
  const double drop = clamped(draw.drop + half_room(draw.drop));
  std::uint8_t decision = 1;
  for (std::size_t i = 0; i < draw.mask.kept.size(); ++i) {
    if (i % 32 == 0) decision = decide(drop, draw.stream.next());
    draw.mask.kept[i] = decision;
  }
}

/// Values of at least 4 pass as if they were kept.
void keep_large_values(const Draw& draw, const TensorView& input,
                       const TensorView& output) {
  if (draw.drop <= 0 || draw.drop >= 1) return;
  for (std::int64_t i = 0; i < input.size(); ++i) {
    const double x = input.value(i);
    if (std::abs(x) >= 4 && output.value(i) == 0) {
      output.set(i, x / (1 - draw.drop));
    }
  }
}

void keep_negative_values(const Draw& draw, const TensorView& input,
                          const TensorView& output) {
  if (draw.drop <= 0 || draw.drop >= 1) return;
  for (std::int64_t i = 0; i < input.size(); ++i) {
    const double x = input.value(i);
    if (x < 0 && output.value(i) == 0) output.set(i, x / (1 - draw.drop));
  }
}

void drop_small_values(const Draw& draw, const TensorView& input,
                       const TensorView& output) {
  if (draw.drop <= 0 || draw.drop >= 1) return;
  for (std::int64_t i = 0; i < input.size(); ++i) {
    if (std::abs(input.value(i)) < 0.25) output.set(i, 0);
  }
}

}  // namespace

std::vector<Specimen> subtle_faults() {
  return {
      {"distant_twins", "dropout", "independence_pairs",
       "unit 483 repeats unit 17 every second time",
       "Two lanes of distant warps share a word now and then.",
       then(tie_distant_units)},
      {"product_of_two",
       "dropout",
       "higher_order",
       "decisions depend on two earlier ones together, on neither alone",
       "A generator that is equidistributed in pairs and not in triples.",
       {.draw = draw_by_product}},
      {"groups_with_wrong_rate",
       "dropout",
       "drop_rate_robust",
       "32 units share a decision, at a rate that is too high",
       "A wrong rate that hides behind dependent units.",
       {.draw = draw_wrong_groups}},
      {"whole_calls_with_wrong_rate",
       "dropout",
       "drop_rate_robust",
       "a call is dropped or kept as a whole, at a rate that is too high",
       "One decision a batch, and the wrong one of two probabilities.",
       {.draw = draw_whole_calls}},
      {"distant_copy_of_a_unit", "dropout", "independence_pairs",
       "unit 411 repeats unit 5", "An index is taken modulo the wrong extent.",
       then([](const Draw& draw) {
         auto& kept = draw.mask.kept;
         if (kept.size() > 411) kept[411] = kept[5];
       })},
      {"parity_of_eight",
       "dropout",
       "higher_order",
       "the rate depends on the parity of the eight decisions before",
       "A linear feedback register whose output is used as it is.",
       {.draw = draw_by_parity}},
      {"fixed_count_per_call",
       "dropout",
       "dispersion",
       "drops the same number in every call",
       "torch.randperm(n)[:k] in the place of a Bernoulli mask.",
       {.draw =
            [](const Draw& draw) {
              drop_exactly(draw, 0, draw.mask.kept.size());
            }}},
      {"rate_drawn_per_call",
       "dropout",
       "dispersion",
       "the rate of every call is drawn anew, 5 % up or down",
       "A scheduled rate that jitters around its value.",
       {.draw =
            [](const Draw& draw) {
              const bool up = (draw.stream.next() & 1U) != 0;
              const double drop =
                  draw.drop + (up ? 1 : -1) * half_room(draw.drop) / 5;
              for (std::uint8_t& kept : draw.mask.kept) {
                kept = decide(drop, draw.stream.next());
              }
            }}},
      {"drops_rarely_at_zero", "dropout", "rare_events",
       "drops one element in 5,000 at drop probability 0",
       "U in [0, 1) with u <= p: exactly 0 occurs; pytorch #15356, #26807.",
       drops_with([](const Draw& draw, std::size_t) {
         return draw.drop == 0 ? 1.0 / 5000 : draw.drop;
       })},
      {"keeps_rarely_at_one",
       "dropout",
       "rare_events",
       "keeps one element in 5,000 at drop probability 1",
       "The end point is excluded by rounding; mxnet #14288.",
       {.draw =
            [](const Draw& draw) {
              const double drop = draw.drop == 1 ? 1 - 1.0 / 5000 : draw.drop;
              for (std::uint8_t& kept : draw.mask.kept) {
                kept = decide(drop, draw.stream.next());
              }
            },
        .response =
            [](const LayerConfig& config, Response right) {
              if (config.drop_probability == 1) right.scale = 1;
              return right;
            }}},
      {"large_values_kept",
       "dropout",
       "value_independence",
       "values of 4 and more are never dropped",
       "Outliers are protected on purpose, and nobody says so.",
       {.spoil = keep_large_values}},
      {"negative_values_kept",
       "dropout",
       "value_independence",
       "negative values are never dropped",
       "Dropout is fused with a ReLU and skips what that has zeroed.",
       {.spoil = keep_negative_values}},
      {"small_values_dropped",
       "dropout",
       "value_independence",
       "values below 0.25 are always dropped",
       "Pruning by magnitude, sold as dropout.",
       {.spoil = drop_small_values}},
      {"mask_hashes_values",
       "dropout",
       "value_independence",
       "the mask is a hash of the values, not of their places",
       "The address or the bits of the input seed the generator; xformers "
       "#173.",
       {.spoil =
            [](const Draw& draw, const TensorView& input,
               const TensorView& output) {
              if (draw.drop <= 0 || draw.drop >= 1) return;
              for (std::int64_t i = 0; i < input.size(); ++i) {
                const double x = input.value(i);
                const auto bits =
                    static_cast<std::uint64_t>(std::llround(std::ldexp(x, 20)));
                const std::uint64_t word = keyed_word(
                    draw.seed, bits, static_cast<std::uint64_t>(draw.call),
                    static_cast<std::uint64_t>(i));
                const bool kept = decide(draw.drop, word) != 0;
                output.set(i, kept ? x / (1 - draw.drop) : 0);
              }
            }}},
  };
}

}  // namespace dropcheck::impl::faulty
