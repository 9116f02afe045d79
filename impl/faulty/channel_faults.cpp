// Dropout of channels and of other shared axes: the mistakes of plain dropout,
// and axes that are confused.
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
double times_keep(double keep) { return keep; }
double by_drop(double keep) { return keep == 1 ? 1 : 1 / (1 - keep); }

Fault swapped() {
  return drops_with(
      [](const Draw& draw, std::size_t) { return 1 - draw.drop; });
}

Fault drops_none() {
  return drops_with(
      [](const Draw& draw, std::size_t) { return draw.drop >= 1 ? 1.0 : 0.0; });
}

Fault from_start() {
  return {.draw = [](const Draw& draw) {
    RandomStream stream(draw.seed);
    draw_right(draw, stream);
  }};
}

/// Groups of neighbouring units share a decision.
template <std::size_t kWidth>
Fault lanes() {
  return then([](const Draw& draw) {
    auto& kept = draw.mask.kept;
    for (std::size_t i = 0; i < kept.size(); ++i) {
      kept[i] = kept[i - i % kWidth];
    }
  });
}

std::vector<Specimen> of_one_axis() {
  constexpr const char* kLayer = "dropout1d";
  return {
      {"dropout1d_no_scale",
       kLayer,
       "support",
       "keeps channels as they are",
       "The 1/keep is missing; shainet #106.",
       scaled(one),
       {},
       {.says = "kept values are not scaled"}},
      {"dropout1d_shared_by_batch",
       kLayer,
       "granularity",
       "one decision per channel for all samples",
       "The mask is (1, C, 1).",
       {.mask_shape = channels_of_all},
       {},
       {.says = "all samples of a batch share one mask"}},
      {"dropout1d_by_sample",
       kLayer,
       "granularity",
       "one decision for all channels of a sample",
       "The mask is (N, 1, 1).",
       {.mask_shape = first_axes<1>},
       {},
       {.says = "the mask is shared along axis 1, too"}},
      {"dropout1d_keep_drop_swapped",
       kLayer,
       "drop_rate",
       "drops channels with the keep probability",
       "electra #61.",
       swapped(),
       {},
       {.says = "keep and drop are swapped"}},
      {"dropout1d_same_every_call",
       kLayer,
       "independence_calls",
       "every call drops the same channels",
       "tensorflow #29391.",
       from_start(),
       {},
       {.says = "every call has the same mask"}},
      {"dropout1d_active_at_eval",
       kLayer,
       "eval_identity",
       "drops at evaluation too",
       "No mode check; thinc #355.",
       {.evaluation = Evaluation::kDrops},
       {},
       {.says = "the layer drops at evaluation as in training"}},
      {"dropout1d_backward_unscaled",
       kLayer,
       "backward_mask",
       "the gradient misses 1/keep",
       "Oneflow #9808.",
       {.gradient = Gradient::kUnscaled},
       {},
       {.says = "1/keep is missing"}},
  };
}

std::vector<Specimen> of_two_axes() {
  constexpr const char* kLayer = "dropout2d";
  return {
      {"dropout2d_double_scale",
       kLayer,
       "expectation",
       "keeps x / keep^2",
       "Scaled by the layer and by its caller; mlpractical #32.",
       scaled(twice),
       {},
       {.says = "scaled twice: x/0.9^2"}},
      {"dropout2d_by_row",
       kLayer,
       "granularity",
       "drops rows of channels",
       "The mask is (N, C, H, 1).",
       {.mask_shape = first_axes<3>},
       {},
       {.says = "the mask is not shared along axis 2"}},
      {"dropout2d_by_position",
       kLayer,
       "granularity",
       "one decision for all channels of a position",
       "The mask is (N, 1, H, W): the wrong axis is broadcast.",
       {.mask_shape = shared_axis<1>},
       {},
       {.says = "the mask is shared along axis 1 instead of axes 2 and 3"}},
      {"dropout2d_drops_nothing",
       kLayer,
       "drop_rate",
       "keeps every channel",
       "The rate never arrives.",
       drops_none(),
       {},
       {.says = "it drops nothing"}},
      {"dropout2d_lanes_of_8",
       kLayer,
       "independence_within",
       "groups of eight channels share a decision",
       "One word a vector; pytorch #198333.",
       lanes<8>(),
       {},
       {.says = "groups of 8 neighbours share one decision"}},
      {"dropout2d_backward_inverted",
       kLayer,
       "backward_mask",
       "the gradient passes where channels were dropped",
       "The mask is stored as drops and read as keeps; trident #89.",
       {.gradient = Gradient::kInvertedMask},
       {},
       {.says = "keep and drop are swapped"}},
      {"dropout2d_seed_ignored",
       kLayer,
       "seeding",
       "reseeding starts somewhere else every time",
       "mxnet #15662.",
       {.seeding = Seeding::kIgnored},
       {},
       {.says = "what decides is a clock, an address or a state"}},
  };
}

std::vector<Specimen> of_three_axes() {
  constexpr const char* kLayer = "dropout3d";
  return {
      {"dropout3d_no_scale",
       kLayer,
       "support",
       "keeps channels as they are",
       "The 1/keep is missing.",
       scaled(one),
       {},
       {.says = "kept values are not scaled"}},
      {"dropout3d_scale_by_keep",
       kLayer,
       "expectation",
       "keeps x * keep",
       "The test-time factor in training.",
       scaled(times_keep),
       {},
       {.says = "multiplied by the keep probability: x*0.9"}},
      {"dropout3d_shared_by_batch",
       kLayer,
       "granularity",
       "one decision per channel for all samples",
       "The mask is (1, C, 1, 1, 1).",
       {.mask_shape = channels_of_all},
       {},
       {.says = "all samples of a batch share one mask"}},
      {"dropout3d_as_element",
       kLayer,
       "granularity",
       "drops single elements",
       "Dropout3d is wired to dropout.",
       {.mask_shape = per_element},
       {},
       {.says = "the mask is not shared along axes 2, 3 and 4"}},
      {"dropout3d_keep_drop_swapped",
       kLayer,
       "drop_rate",
       "drops channels with the keep probability",
       "electra #61.",
       swapped(),
       {},
       {.says = "keep and drop are swapped"}},
      {"dropout3d_active_at_eval",
       kLayer,
       "eval_identity",
       "drops at evaluation too",
       "No mode check; thinc #355.",
       {.evaluation = Evaluation::kDrops},
       {},
       {.says = "the layer drops at evaluation as in training"}},
  };
}

std::vector<Specimen> of_other_axes() {
  return {
      {"spatial_no_scale",
       "spatial_dropout",
       "support",
       "keeps channels as they are",
       "BigDL #1898.",
       scaled(one),
       {},
       {.says = "kept values are not scaled"}},
      {"spatial_shared_by_batch",
       "spatial_dropout",
       "granularity",
       "one decision per channel for all samples",
       "noise_shape (1, C, 1).",
       {.mask_shape = channels_of_all},
       {},
       {.says = "all samples of a batch share one mask"}},
      {"spatial_drops_nothing",
       "spatial_dropout",
       "drop_rate",
       "keeps every channel",
       "The identity passes Keras' test of two equal slices.",
       drops_none(),
       {},
       {.says = "it drops nothing"}},
      {"variational_scale_by_p",
       "variational_dropout",
       "expectation",
       "keeps x / drop",
       "deeplearning4j #9801.",
       scaled(by_drop),
       {},
       {.says = "divided by the drop probability: x/0.1"}},
      {"variational_mask_never_reset",
       "variational_dropout",
       "independence_calls",
       "every sequence has the same mask",
       "A cached mask is not reset; tensorflow #29391, keras-lmu #29.",
       from_start(),
       {},
       {.says = "every call has the same mask"}},
      {"token_as_element",
       "token_dropout",
       "granularity",
       "drops single elements instead of tokens",
       "noise_shape is not read.",
       {.mask_shape = per_element},
       {},
       {.says = "the mask is not shared along axis 2"}},
      {"token_no_scale",
       "token_dropout",
       "support",
       "keeps tokens as they are",
       "The 1/keep is missing.",
       scaled(one),
       {},
       {.says = "kept values are not scaled"}},
      {"broadcast_not_shared",
       "broadcast_dropout",
       "granularity",
       "shares no decisions",
       "noise_shape is accepted and never read.",
       {.mask_shape = per_element},
       {{.layer = "broadcast_dropout", .shared_axes = {0}},
        {.layer = "broadcast_dropout", .shared_axes = {1}}},
       {.says = "the mask is not shared along axis 0"}},
  };
}

}  // namespace

std::vector<Specimen> channel_faults() {
  std::vector<Specimen> all;
  for (const auto group :
       {of_one_axis, of_two_axes, of_three_axes, of_other_axes}) {
    for (Specimen& specimen : group()) all.push_back(std::move(specimen));
  }
  return all;
}

}  // namespace dropcheck::impl::faulty
