// Drop path and stochastic depth: one decision a sample, or one a batch.
#include <cmath>

#include "faulty/draws.hpp"
#include "faulty/unit_shapes.hpp"

namespace dropcheck::impl::faulty {
namespace {

Fault scaled(double (*scale)(double keep)) {
  return {.response = [scale](const LayerConfig& config, Response response) {
    response.scale = scale(1 - config.drop_probability);
    return response;
  }};
}

double one(double) { return 1; }
double twice(double keep) { return keep == 0 ? 0 : 1 / (keep * keep); }
double by_drop(double keep) { return keep == 1 ? 1 : 1 / (1 - keep); }
double to_decimal(double keep) {
  return keep == 0 ? 0 : std::round(10 / keep) / 10;
}

Fault drops_at(double (*rate)(double drop)) {
  return drops_with([rate](const Draw& draw, std::size_t) {
    return draw.drop <= 0 || draw.drop >= 1 ? draw.drop : rate(draw.drop);
  });
}

double swapped(double drop) { return 1 - drop; }
double none(double) { return 0; }
double twofold(double drop) { return clamped(2 * drop); }
double root(double drop) { return std::sqrt(drop); }

Fault from_start() {
  return {.draw = [](const Draw& draw) {
    RandomStream stream(draw.seed);
    draw_right(draw, stream);
  }};
}

std::vector<Specimen> of_samples() {
  constexpr const char* kLayer = "drop_path";
  return {
      {"path_no_scale",
       kLayer,
       "support",
       "keeps samples as they are",
       "scale_by_keep = False, and nobody says so.",
       scaled(one),
       {},
       {.says = "kept values are not scaled"}},
      {"path_scale_by_p",
       kLayer,
       "expectation",
       "keeps x / drop",
       "Divided by the wrong probability.",
       scaled(by_drop),
       {},
       {.says = "divided by the drop probability: x/0.1"}},
      {"path_scale_one_decimal",
       kLayer,
       "support",
       "1/keep is rounded to one decimal",
       "A scale in a configuration file.",
       scaled(to_decimal),
       {},
       {.says = "was rounded to 1 decimal"}},
      {"path_drops_nothing",
       kLayer,
       "drop_rate",
       "keeps every sample",
       "The block counter is never advanced; keras #16144.",
       drops_at(none),
       {},
       {.says = "it drops nothing"}},
      {"path_rate_root",
       kLayer,
       "drop_rate",
       "drops with sqrt(drop)",
       "Two branches share one rate; tensorflow #40210.",
       drops_at(root),
       {},
       {.says = "the root of the rate"}},
      {"path_by_position",
       kLayer,
       "granularity",
       "drops features of each sample apart",
       "(N, 1, ..., C) where (N, 1, ..., 1) is meant.",
       {.mask_shape = first_and_last},
       {},
       {.says = "the mask is not shared along axis 3"}},
      {"path_lanes_of_8",
       kLayer,
       "independence_within",
       "eight samples in a row share a decision",
       "One decision a device, for all of its samples; vision #7722.",
       then([](const Draw& draw) {
         auto& kept = draw.mask.kept;
         for (std::size_t i = 0; i < kept.size(); ++i)
           kept[i] = kept[i - i % 8];
       }),
       {},
       {.says = "groups of 8 neighbours share one decision"}},
      {"path_half_batch_mirrored",
       kLayer,
       "independence_within",
       "the second half of a batch mirrors the first",
       "Antithetic sampling of samples.",
       {.draw =
            [](const Draw& draw) {
              auto& kept = draw.mask.kept;
              const std::size_t half = (kept.size() + 1) / 2;
              RandomStream first = draw.stream;
              draw_right(draw);
              for (std::size_t i = half; i < kept.size(); ++i) {
                kept[i] = decide(draw.drop, ~first.next());
              }
            }},
       {},
       {.says = "the second half of a call mirrors the first"}},
      {"path_fixed_count",
       kLayer,
       "unit_counts",
       "drops the same number of samples in every batch",
       "randperm(N)[:k], as the first DINOv2 code draws them.",
       {.draw =
            [](const Draw& draw) {
              drop_exactly(draw, 0, draw.mask.kept.size());
            }},
       {},
       {.says = "every call drops a fixed number of units"}},
      {"path_constant_seed",
       kLayer,
       "seeding",
       "every seed is 42",
       "The seed is a default argument; axon #423.",
       {.seeding = Seeding::kConstant},
       {},
       {.says = "the seed is a constant"}},
      {"path_backward_identity",
       kLayer,
       "backward_mask",
       "the gradient passes whole",
       "Jittor #388.",
       {.gradient = Gradient::kIdentity},
       {},
       {.says = "the whole gradient passes"}},
  };
}

std::vector<Specimen> of_batches() {
  constexpr const char* kLayer = "stochastic_depth";
  return {
      {"depth_by_row",
       kLayer,
       "granularity",
       "one decision a sample where one a batch is due",
       "mode = \"row\" for mode = \"batch\".",
       {.mask_shape = first_axes<1>},
       {},
       {.says = "the mask is not shared along axis 0"}},
      {"depth_no_scale",
       kLayer,
       "support",
       "keeps the batch as it is",
       "The 1/keep is missing; img_classification_pk #3.",
       scaled(one),
       {},
       {.says = "kept values are not scaled"}},
      {"depth_double_scale",
       kLayer,
       "expectation",
       "keeps x / keep^2",
       "Scaled by the layer and by the block.",
       scaled(twice),
       {},
       {.says = "scaled twice: x/0.9^2"}},
      {"depth_keep_drop_swapped",
       kLayer,
       "drop_rate",
       "drops with the survival probability",
       "LBANN #1248.",
       drops_at(swapped),
       {},
       {.says = "keep and drop are swapped"}},
      {"depth_drops_nothing",
       kLayer,
       "drop_rate",
       "keeps every batch",
       "drop_connect_rate is never used; tpu #381.",
       drops_at(none),
       {},
       {.says = "it drops nothing"}},
      {"depth_rate_doubled",
       kLayer,
       "drop_rate",
       "drops with 2 * drop",
       "The number of blocks is not scaled by the depth; keras-applications "
       "#200.",
       drops_at(twofold),
       {},
       {.says = "twice the rate"}},
      {"depth_same_every_call",
       kLayer,
       "independence_calls",
       "every call has the same decision",
       "The random state is not threaded through; flax #4950.",
       from_start(),
       {},
       {.says = "always agree"}},
      {"depth_eval_scales",
       kLayer,
       "eval_identity",
       "multiplies by keep at evaluation",
       "The original code's test-time scaling; img_classification_pk #9.",
       {.evaluation = Evaluation::kScales},
       {},
       {.says = "all is multiplied by keep = 0.9, the test-time factor"}},
      {"depth_active_at_eval",
       kLayer,
       "eval_identity",
       "drops batches at evaluation too",
       "pytorch/vision #7103.",
       {.evaluation = Evaluation::kDrops},
       {},
       {.says = "the layer drops at evaluation as in training"}},
      {"depth_backward_unscaled",
       kLayer,
       "backward_mask",
       "the gradient misses 1/keep",
       "The scale is applied forward only.",
       {.gradient = Gradient::kUnscaled},
       {},
       {.says = "1/keep is missing"}},
  };
}

}  // namespace

std::vector<Specimen> path_faults() {
  std::vector<Specimen> all = of_samples();
  for (Specimen& specimen : of_batches()) all.push_back(std::move(specimen));
  return all;
}

}  // namespace dropcheck::impl::faulty
