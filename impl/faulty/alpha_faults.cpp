// Alpha and feature alpha dropout: constants that are almost right, and the
// mistakes of the other laws under their names.
#include <cmath>

#include "dropcheck/impl/selu.hpp"
#include "faulty/draws.hpp"
#include "faulty/unit_shapes.hpp"

namespace dropcheck::impl::faulty {
namespace {

constexpr double kC = kSeluSaturation;

/// Between p = 0 and p = 1 a layer answers with a, b and c of its own.
template <class Map>
Fault maps(Map map) {
  return {.response = [map](const LayerConfig& config, Response right) {
    const double p = config.drop_probability;
    if (p <= 0 || p >= 1) return right;
    const auto [a, b, c] = map(p);
    return Response{.scale = a, .offset = b, .dropped = a * c + b};
  }};
}

struct Map {
  double a;
  double b;
  double c;
};

double a_of(double p) { return 1 / std::sqrt((1 - p) * (1 + p * kC * kC)); }
double b_of(double p) { return -a_of(p) * p * kC; }

Map unscaled(double p) { return {1, -p * kC, kC}; }
Map without_keep(double p) {
  const double a = 1 / std::sqrt(1 + p * kC * kC);
  return {a, -a * p * kC, kC};
}
Map without_saturation(double p) {
  const double a = 1 / std::sqrt(1 - p);
  return {a, -a * p * kC, kC};
}
Map linear_in_alpha(double p) {
  const double a = 1 / std::sqrt((1 - p) * (1 - p * kC));
  return {a, -a * p * kC, kC};
}
Map shift_lacks_a(double p) { return {a_of(p), -p * kC, kC}; }
Map shift_with_keep(double p) { return {a_of(p), -a_of(p) * (1 - p) * kC, kC}; }
Map alpha_without_lambda(double p) { return {a_of(p), b_of(p), -kSeluAlpha}; }
Map half_of_p(double p) { return {a_of(p / 2), b_of(p / 2), kC}; }
Map plain(double p) { return {1 / (1 - p), 0, 0}; }
Map no_affine(double) { return {1, 0, kC}; }
Map wrong_sign_b(double p) { return {a_of(p), -b_of(p), kC}; }
Map no_shift(double p) { return {a_of(p), 0, kC}; }
Map upwards(double p) { return {a_of(p), b_of(p), -kC}; }
Map no_root(double p) {
  const double a = a_of(p) * a_of(p);
  return {a, -a * p * kC, kC};
}
Map elu(double p) {
  const double a = 1 / std::sqrt((1 - p) * (1 + p));
  return {a, a * p, -1};
}

/// alpha' is written over dropped values after the affine map.
Fault fills_afterwards() {
  return {.response = [](const LayerConfig& config, Response right) {
    const double p = config.drop_probability;
    if (p > 0 && p < 1) right.dropped = kC;
    return right;
  }};
}

Fault from_start() {
  return {.draw = [](const Draw& draw) {
    RandomStream stream(draw.seed);
    draw_right(draw, stream);
  }};
}

std::vector<Specimen> of_elements() {
  constexpr const char* kLayer = "alpha_dropout";
  return {
      {"alpha_unscaled",
       kLayer,
       "moments",
       "shifts and does not scale",
       "The mean is kept and the variance is not: b without a.",
       maps(unscaled),
       {},
       {.says = "a is missing: 1, not 0.921285"}},
      {"alpha_scale_without_keep",
       kLayer,
       "support",
       "a = (1 + drop c^2)^(-1/2)",
       "keep is left out of the root.",
       maps(without_keep),
       {},
       {.says = "a is computed without the factor keep"}},
      {"alpha_scale_without_saturation",
       kLayer,
       "moments",
       "a = keep^(-1/2)",
       "drop c^2 is left out of the root.",
       maps(without_saturation),
       {},
       {.says = "a is computed without the factor 1 + p alpha'^2"}},
      {"alpha_scale_linear",
       kLayer,
       "support",
       "a = (keep (1 + drop |c|))^(-1/2)",
       "alpha' is not squared.",
       maps(linear_in_alpha),
       {},
       {.says = "a is computed with alpha' instead of alpha'^2"}},
      {"alpha_shift_without_a",
       kLayer,
       "self_normalisation",
       "b = -drop c instead of -a drop c",
       "b is computed before a and never scaled.",
       maps(shift_lacks_a),
       {},
       {.says = "b lacks the factor a"}},
      {"alpha_shift_with_keep",
       kLayer,
       "self_normalisation",
       "b = -a keep c instead of -a drop c",
       "keep in the place of drop.",
       maps(shift_with_keep),
       {},
       {.says = "b is computed with keep instead of drop"}},
      {"alpha_without_lambda",
       kLayer,
       "support",
       "drops to -alpha",
       "alpha' = -lambda alpha loses lambda.",
       maps(alpha_without_lambda),
       {},
       {.says = "units are dropped to -alpha (without lambda)"}},
      {"alpha_constants_of_half",
       kLayer,
       "support",
       "a and b for half of the drop probability",
       "The constants are made in the constructor, before p is set.",
       maps(half_of_p),
       {},
       {.says = "a and b are those of the drop probability 0.05"}},
      {"alpha_fill_afterwards",
       kLayer,
       "support",
       "puts alpha' in after the affine map",
       "where(mask, a x + b, alpha'); tfjs-layers #546.",
       fills_afterwards(),
       {},
       {.says = "alpha' is put in after the affine map"}},
      {"alpha_lanes_of_4",
       kLayer,
       "independence_within",
       "four neighbours share a decision",
       "One word for four lanes; pytorch #198333.",
       then([](const Draw& draw) {
         auto& kept = draw.mask.kept;
         for (std::size_t i = 0; i < kept.size(); ++i)
           kept[i] = kept[i - i % 4];
       }),
       {},
       {.says = "groups of 4 neighbours share one decision"}},
      {"alpha_shared_by_batch",
       kLayer,
       "granularity",
       "one mask for a batch",
       "noise_shape (1, C, ...), as Keras takes it.",
       {.mask_shape = shared_axis<0>},
       {},
       {.says = "all samples of a batch share one mask"}},
      {"alpha_backward_new_mask",
       kLayer,
       "backward_mask",
       "the gradient uses a fresh mask",
       "Recomputation without the random state; pytorch #190717.",
       {.gradient = Gradient::kNewMask},
       {},
       {.says = "it is masked by another mask, as if that were drawn anew"}},
      {"alpha_drops_nothing",
       kLayer,
       "drop_rate",
       "keeps every element",
       "The rate never arrives; tensorflow #6466.",
       drops_with([](const Draw& draw, std::size_t) {
         return draw.drop >= 1 ? 1.0 : 0.0;
       }),
       {},
       {.says = "it drops nothing"}},
      {"alpha_seed_ignored",
       kLayer,
       "seeding",
       "reseeding starts somewhere else every time",
       "The generator of the constructor is kept; keras #17548.",
       {.seeding = Seeding::kIgnored},
       {},
       {.says = "what decides is a clock, an address or a state"}},
  };
}

std::vector<Specimen> of_channels() {
  constexpr const char* kLayer = "feature_alpha_dropout";
  return {
      {"feature_alpha_no_affine",
       kLayer,
       "self_normalisation",
       "sets the saturation value and leaves it at that",
       "Mean and variance are not restored; Flux #656.",
       maps(no_affine),
       {},
       {.says = "the affine map that restores mean and variance is missing"}},
      {"feature_alpha_is_plain",
       kLayer,
       "self_normalisation",
       "drops channels to 0 and multiplies by 1/keep",
       "Feature alpha dropout is wired to dropout2d.",
       maps(plain),
       {},
       {.says = "as plain dropout returns them"}},
      {"feature_alpha_wrong_sign_b",
       kLayer,
       "self_normalisation",
       "subtracts the shift b",
       "The sign of b.",
       maps(wrong_sign_b),
       {},
       {.says = "b has the wrong sign"}},
      {"feature_alpha_no_shift",
       kLayer,
       "self_normalisation",
       "scales by a and forgets b",
       "One half of the affine map.",
       maps(no_shift),
       {},
       {.says = "b is missing"}},
      {"feature_alpha_upwards",
       kLayer,
       "support",
       "drops to +lambda * alpha",
       "The sign of alpha'.",
       maps(upwards),
       {},
       {.says = "units are dropped to +lambda * alpha (the wrong sign)"}},
      {"feature_alpha_no_root",
       kLayer,
       "moments",
       "a without the root",
       "pytorch #87989 in its first revision.",
       maps(no_root),
       {},
       {.says = "a is computed without the root"}},
      {"feature_alpha_uses_elu",
       kLayer,
       "support",
       "drops to ELU's saturation value -1",
       "alpha' = -1 of ELU.",
       maps(elu),
       {},
       {.says = "of a saturation value of -1 (as ELU's)"}},
      {"feature_alpha_shared_by_batch",
       kLayer,
       "granularity",
       "one decision per channel for all samples",
       "The mask is (1, C, 1, 1).",
       {.mask_shape = channels_of_all},
       {},
       {.says = "all samples of a batch share one mask"}},
      {"feature_alpha_by_sample",
       kLayer,
       "granularity",
       "one decision per sample",
       "The mask is (N, 1, 1, 1).",
       {.mask_shape = first_axes<1>},
       {},
       {.says = "the mask is shared along axis 1, too"}},
      {"feature_alpha_by_row",
       kLayer,
       "granularity",
       "drops rows of channels",
       "The mask is (N, C, H, 1).",
       {.mask_shape = first_axes<3>},
       {},
       {.says = "the mask is not shared along axis 2"}},
      {"feature_alpha_active_at_eval",
       kLayer,
       "eval_identity",
       "drops at evaluation too",
       "training=True; awd-lstm-lm #72.",
       {.evaluation = Evaluation::kDrops},
       {},
       {.says = "the layer drops at evaluation as in training"}},
      {"feature_alpha_same_every_call",
       kLayer,
       "independence_calls",
       "every call drops the same channels",
       "A captured graph replays its numbers; pytorch #84614.",
       from_start(),
       {},
       {.says = "every call has the same mask"}},
      {"feature_alpha_keep_drop_swapped",
       kLayer,
       "drop_rate",
       "drops with the keep probability",
       "Self2Self #7.",
       drops_with([](const Draw& draw, std::size_t) { return 1 - draw.drop; }),
       {},
       {.says = "keep and drop are swapped"}},
  };
}

}  // namespace

std::vector<Specimen> alpha_faults() {
  std::vector<Specimen> all = of_elements();
  for (Specimen& specimen : of_channels()) all.push_back(std::move(specimen));
  return all;
}

}  // namespace dropcheck::impl::faulty
