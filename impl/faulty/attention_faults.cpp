// Dropout of attention weights and of weights.
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
double times_keep(double keep) { return keep; }
double twice(double keep) { return keep == 0 ? 0 : 1 / (keep * keep); }

Fault drops_none() {
  return drops_with(
      [](const Draw& draw, std::size_t) { return draw.drop >= 1 ? 1.0 : 0.0; });
}

Fault swapped() {
  return drops_with(
      [](const Draw& draw, std::size_t) { return 1 - draw.drop; });
}

Fault from_start() {
  return {.draw = [](const Draw& draw) {
    RandomStream stream(draw.seed);
    draw_right(draw, stream);
  }};
}

/// keep iff byte <= floor(255 * keep), as in flash_api.cpp.
Fault byte_threshold() {
  return keeps_if([](double keep, std::uint64_t word) {
    return static_cast<double>(word >> 56U) <= std::floor(255 * keep);
  });
}

/// A counter of bytes starts anew in every tile of 128 keys.
Fault tiles_of_128() {
  return then([](const Draw& draw) {
    auto& kept = draw.mask.kept;
    for (std::size_t i = 128; i < kept.size(); ++i) kept[i] = kept[i - 128];
  });
}

std::vector<Specimen> of_attention() {
  constexpr const char* kLayer = "attention_dropout";
  return {
      {"attention_before_softmax",
       kLayer,
       "support",
       "drops scores before the softmax",
       "A dropped score of 0 is a score like others: nothing is dropped.",
       {.around = Around::kBeforeSoftmax},
       {},
       {.says = "dropout stands before the softmax"}},
      {"attention_normalised",
       kLayer,
       "support",
       "divides the dropped weights by their sum",
       "The rows are made to sum to 1 again; pytorch #42929.",
       {.around = Around::kNormalised},
       {},
       {.says = "rows are divided by their sum after dropping"}},
      {"attention_no_scale",
       kLayer,
       "support",
       "keeps weights as they are",
       "The 1/keep is missing.",
       scaled(one),
       {},
       {.says = "kept values are not scaled"}},
      {"attention_scale_by_keep",
       kLayer,
       "expectation",
       "keeps w * keep",
       "keep_prob is passed for 1 / keep_prob.",
       scaled(times_keep),
       {},
       {.says = "multiplied by the keep probability"}},
      {"attention_drops_nothing",
       kLayer,
       "drop_rate",
       "keeps every weight",
       "dropout_p is plumbed and never applied; pytorch #184126.",
       drops_none(),
       {},
       {.says = "it drops nothing"}},
      {"attention_threshold_8bit",
       kLayer,
       "drop_rate",
       "compares one byte with floor(255 * keep)",
       "flash-attention's dropout.h.",
       byte_threshold(),
       {},
       {.profile = "pr",
        .effect = "a drop rate off by 0.0016",
        .says = "looks like a threshold of 26/256"}},
      {"attention_keep_drop_swapped",
       kLayer,
       "drop_rate",
       "drops with the keep probability",
       "LBANN #1248.",
       swapped(),
       {},
       {.says = "keep and drop are swapped"}},
      {"attention_shared_by_keys",
       kLayer,
       "granularity",
       "drops whole rows of weights",
       "The mask is (..., queries, 1).",
       {.mask_shape = shared_last_axis},
       {},
       {.says = "the mask is shared along axis 3, too"}},
      {"attention_shared_by_batch",
       kLayer,
       "granularity",
       "one mask for all samples and heads",
       "Flax's broadcast_dropout is on by default.",
       {.mask_shape = shared_axis<0>},
       {},
       {.says = "all samples of a batch share one mask"}},
      {"attention_tiles_of_128",
       kLayer,
       "independence_within",
       "tiles of 128 weights have one mask",
       "The tile's number is not in the offset; ffpa-attn #352.",
       tiles_of_128(),
       {},
       {.says = "one tile of 128 decisions is used over and over"}},
      {"attention_same_every_call",
       kLayer,
       "independence_calls",
       "every call has the same mask",
       "pytorch #84614.",
       from_start(),
       {},
       {.says = "every call has the same mask"}},
      {"attention_active_at_eval",
       kLayer,
       "eval_identity",
       "drops at evaluation too",
       "F.scaled_dot_product_attention has no training flag; pytorch #124464.",
       {.evaluation = Evaluation::kDrops},
       {},
       {.says = "the layer draws at evaluation"}},
      {"attention_seed_ignored",
       kLayer,
       "seeding",
       "reseeding starts somewhere else every time",
       "The kernel hashes the address of the seed; xformers #173.",
       {.seeding = Seeding::kIgnored},
       {},
       {.says = "what decides is a clock, an address or a state"}},
      {"attention_backward_new_mask",
       kLayer,
       "backward_mask",
       "the gradient uses a fresh mask",
       "Forward and backward masks differ; flash-attention #1251.",
       {.gradient = Gradient::kNewMask},
       {},
       {.says = "is not that of the forward call with its mask"}},
  };
}

std::vector<Specimen> of_weights() {
  constexpr const char* kLayer = "drop_connect";
  return {
      {"connect_no_scale",
       kLayer,
       "support",
       "keeps weights as they are",
       "The 1/keep is missing.",
       scaled(one),
       {},
       {.says = "kept values are not scaled"}},
      {"connect_double_scale",
       kLayer,
       "expectation",
       "keeps w / keep^2",
       "Scaled by the layer and by its caller.",
       scaled(twice),
       {},
       {.says = "scaled twice: x/0.9^2"}},
      {"connect_drops_nothing",
       kLayer,
       "drop_rate",
       "keeps every weight",
       "drop_connect_rate is never used; tensorflow/tpu #381.",
       drops_none(),
       {},
       {.says = "it drops nothing"}},
      {"connect_keep_drop_swapped",
       kLayer,
       "drop_rate",
       "drops with the keep probability",
       "electra #61.",
       swapped(),
       {},
       {.says = "keep and drop are swapped"}},
      {"connect_threshold_8bit",
       kLayer,
       "drop_rate",
       "compares one byte with floor(255 * keep)",
       "apex #1614.",
       byte_threshold(),
       {},
       {.profile = "pr",
        .effect = "a drop rate off by 0.0016",
        .says = "looks like a threshold of 26/256"}},
      {"connect_rows_dropped",
       kLayer,
       "granularity",
       "drops whole rows of weights",
       "Inputs are dropped, not weights.",
       {.mask_shape = shared_last_axis},
       {},
       {.says = "the mask is shared along axis 3, too"}},
      {"connect_shared_by_samples",
       kLayer,
       "granularity",
       "one mask for all samples",
       "One mask a batch, where one a sample is due.",
       {.mask_shape = shared_axis<0>},
       {{.layer = "drop_connect", .samples = 3}},
       {.says = "all samples of a batch share one mask"}},
      {"connect_same_every_call",
       kLayer,
       "independence_calls",
       "every call has the same mask",
       "The mask is made with the weight, once; awd-lstm-lm #72.",
       from_start(),
       {},
       {.says = "every call has the same mask"}},
      {"connect_active_at_eval",
       kLayer,
       "eval_identity",
       "drops weights at evaluation too",
       "training=True; awd-lstm-lm #72.",
       {.evaluation = Evaluation::kDrops},
       {},
       {.says = "the layer draws at evaluation"}},
      {"connect_constant_seed",
       kLayer,
       "seeding",
       "every seed is 42",
       "The seed is a default argument; Paddle #7796.",
       {.seeding = Seeding::kConstant},
       {},
       {.says = "the seed is a constant"}},
  };
}

}  // namespace

std::vector<Specimen> attention_faults() {
  std::vector<Specimen> all = of_attention();
  for (Specimen& specimen : of_weights()) all.push_back(std::move(specimen));
  return all;
}

}  // namespace dropcheck::impl::faulty
