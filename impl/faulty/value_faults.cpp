#include <algorithm>
#include <cmath>
#include <numbers>

#include "dropcheck/impl/selu.hpp"
#include "faulty/draws.hpp"

namespace dropcheck::impl::faulty {
namespace {

Fault scaled(double (*scale)(double keep)) {
  return {.response = [scale](const LayerConfig& config, Response response) {
    response.scale = scale(1 - config.drop_probability);
    return response;
  }};
}

Fault answers(Response (*change)(double drop, Response)) {
  return {.response = [change](const LayerConfig& config, Response response) {
    return change(config.drop_probability, response);
  }};
}

/// a taken to the wrong power: the first revision of pytorch #87989.
Response wrong_exponent(double drop, Response right) {
  if (drop == 1) return right;
  const double c = kSeluSaturation;
  const double base = (1 - drop) * (1 + drop * c * c);
  const double a = 1 / (base * base);
  return {.scale = a, .offset = -a * drop * c, .dropped = a * c * (1 - drop)};
}

/// Standard normal by Box and Muller.
double normal(RandomStream& stream) {
  const double u = 1 - uniform(stream.next());
  const double v = uniform(stream.next());
  return std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * v);
}

/// Replaces the output by f(x, z * standard deviation of the mask's factor).
Fault noisy(double (*f)(double x, double noise)) {
  return {.spoil = [f](const Draw& draw, const TensorView& input,
                       const TensorView& output) {
    const double deviation = std::sqrt(draw.drop / keep_of(draw));
    for (std::int64_t i = 0; i < input.size(); ++i) {
      const double noise = draw.drop == 1 ? 0 : deviation * normal(draw.stream);
      output.set(i, f(input.value(i), noise));
    }
  }};
}

/// a and b for a saturation value of `c`.
Response preserving(double drop, double c) {
  const double keep = 1 - drop;
  const double a = 1 / std::sqrt(keep * (1 + drop * c * c));
  return {.scale = a, .offset = -a * drop * c, .dropped = a * c * keep};
}

Response constants_swapped(double drop, Response right) {
  constexpr double kSeluLambda = 1.0507009873554805;
  return drop == 1 ? right : preserving(drop, -kSeluLambda);
}

Response elu_constants(double drop, Response right) {
  return drop == 1 ? right : preserving(drop, -1);
}

Response no_root(double drop, Response right) {
  if (drop == 1) return right;
  const double a = right.scale;
  return {
      .scale = a * a, .offset = a * right.offset, .dropped = a * right.dropped};
}

Response keep_for_drop(double drop, Response right) {
  if (drop == 0 || drop == 1) return right;
  const Response other = preserving(1 - drop, kSeluSaturation);
  return {.scale = other.scale,
          .offset = other.offset,
          .dropped = other.scale * kSeluSaturation + other.offset};
}

/// Changes what is in the output in the end.
Fault noisy_free(double (*f)(double y)) {
  return {.spoil = [f](const Draw& draw, const TensorView& input,
                       const TensorView& output) {
    if (draw.drop <= 0 || draw.drop >= 1) return;
    for (std::int64_t i = 0; i < input.size(); ++i) {
      output.set(i, f(output.value(i)));
    }
  }};
}

double clipped(double y) { return std::clamp(y, -6.0, 6.0); }

/// Dropped values become a small part of the input.
Fault answers_dropped(double part) {
  return {.spoil = [part](const Draw& draw, const TensorView& input,
                          const TensorView& output) {
    if (draw.drop <= 0 || draw.drop >= 1) return;
    for (std::int64_t i = 0; i < input.size(); ++i) {
      if (output.value(i) == 0) output.set(i, part * input.value(i));
    }
  }};
}

std::vector<Specimen> scale_faults() {
  return {
      {"no_scale", "dropout", "support", "keeps x instead of x / keep",
       "The 1/keep is missing; NeuraLegion/shainet #106.",
       scaled([](double) { return 1.0; })},
      {"double_scale", "dropout", "moments", "keeps x / keep^2",
       "Scaled once by the layer and once by its caller; mlpractical #32.",
       scaled([](double keep) { return keep == 0 ? 0 : 1 / (keep * keep); })},
      {"scale_by_p", "dropout", "expectation", "keeps x / drop",
       "Divided by the wrong probability; deeplearning4j #9801.",
       scaled([](double keep) { return keep == 1 ? 1 : 1 / (1 - keep); })},
      {"scale_by_keep_path", "drop_path", "expectation", "keeps x * keep",
       "The test-time factor in training; composer #376.",
       scaled([](double keep) { return keep; })},
      {"scale_rounded_to_bf16", "dropout", "support",
       "1/keep is rounded to bfloat16 whatever the dtype",
       "The mask is divided in the tensor's dtype, as in PyTorch's CPU path.",
       scaled([](double keep) {
         return keep == 0 ? 0 : rounded(1 / keep, DType::kBFloat16);
       })},
      {"scale_rounded_to_f16",
       "dropout",
       "support",
       "1/keep is rounded to half precision whatever the dtype",
       "A mask that is kept and divided in half precision.",
       scaled([](double keep) {
         return keep == 0 ? 0 : rounded(1 / keep, DType::kFloat16);
       }),
       {},
       {.effect = "values off by 0.0001"}},
      {"scale_two_decimals",
       "dropout",
       "support",
       "1/keep is rounded to two decimals",
       "The scale is printed into a kernel's source with %.2f.",
       scaled([](double keep) {
         return keep == 0 ? 0 : std::round(100 / keep) / 100;
       }),
       {},
       {.effect = "values off by 0.001"}},
      {"scale_linear",
       "dropout",
       "support",
       "keeps x * (1 + drop)",
       "The first term of 1 / (1 - p) is taken for all of it.",
       scaled([](double keep) { return keep == 0 ? 0 : 2 - keep; }),
       {},
       {.effect = "values off by 0.01"}},
      {"scale_root", "dropout", "expectation", "keeps x / sqrt(keep)",
       "The second moment is preserved instead of the first.",
       scaled([](double keep) { return keep == 0 ? 0 : 1 / std::sqrt(keep); })},
      {"scale_negative", "dropout", "expectation", "keeps -x / keep",
       "The sign is lost in p - 1.",
       scaled([](double keep) { return keep == 0 ? 0 : -1 / keep; })},
      {"scale_missing_channels", "dropout2d", "support",
       "keeps channels as they are", "The 1/keep is missing; shainet #106.",
       scaled([](double) { return 1.0; })},
      {"path_double_scale", "drop_path", "expectation", "keeps x / keep^2",
       "Scaled by the layer and by the block around it.",
       scaled([](double keep) { return keep == 0 ? 0 : 1 / (keep * keep); })},
      {"kept_values_clipped", "dropout", "support",
       "kept values are clipped to [-6, 6]",
       "Dropout fused with relu6 in the wrong order.", noisy_free(clipped)},
      {"dropped_values_tiny", "dropout", "support",
       "dropped values become 1e-6 * x",
       "A mask of epsilon instead of 0, so that logarithms stay finite.",
       answers_dropped(1e-6)},
      {"adds_bias",
       "dropout",
       "support",
       "adds 0.001 to kept values",
       "A bias that is fused into the kernel and never zeroed.",
       answers([](double drop, Response right) {
         if (drop > 0 && drop < 1) right.offset = 1e-3;
         return right;
       }),
       {},
       {.effect = "values off by 0.001"}},
      {"gaussian_for_bernoulli", "dropout", "support",
       "multiplies by N(1, drop/keep)",
       "Gaussian dropout under the name of dropout: two moments are right.",
       noisy([](double x, double noise) { return x * (1 + noise); })},
      {"noise_added", "dropout", "support", "adds N(0, drop/keep)",
       "Noise is added instead of multiplied; keras #5665.",
       noisy([](double x, double noise) { return x + noise; })},
  };
}

std::vector<Specimen> affine_faults() {
  return {
      {"alpha_fill_zero", "alpha_dropout", "support",
       "drops to 0 before the affine map",
       "The saturation value is missing; Flux #656.",
       answers([](double, Response right) {
         right.dropped = right.offset;
         return right;
       })},
      {"alpha_missing_affine", "alpha_dropout", "self_normalisation",
       "sets the saturation value and leaves it at that",
       "Mean and variance are not restored; Flux #656.",
       answers([](double drop, Response right) {
         if (drop == 1) return right;
         return Response{.dropped = drop == 0 ? 0 : kSeluSaturation};
       })},
      {"alpha_wrong_sign_b", "alpha_dropout", "self_normalisation",
       "subtracts the shift b instead of adding it",
       "The sign of b: alpha' is negative, and -a * p * alpha' is not.",
       answers([](double, Response right) {
         right.dropped -= 2 * right.offset;
         right.offset = -right.offset;
         return right;
       })},
      {"alpha_wrong_exponent", "alpha_dropout", "moments",
       "a = (keep (1 + drop c^2))^-2 instead of ^(-1/2)",
       "The first revision of pytorch #87989, caught by eye.",
       answers(wrong_exponent)},
      {"alpha_constants_swapped", "alpha_dropout", "support",
       "takes alpha for lambda and lambda for alpha, and multiplies by one",
       "SELU's two constants change places; the product is forgotten.",
       answers(constants_swapped)},
      {"alpha_saturates_upwards", "alpha_dropout", "support",
       "drops to +lambda * alpha",
       "The sign of alpha': -lambda * alpha is the saturation value.",
       answers([](double, Response right) {
         right.dropped = 2 * right.offset - right.dropped;
         return right;
       })},
      {"alpha_scale_squared", "alpha_dropout", "moments", "a without the root",
       "a = 1 / (keep (1 + drop c^2)): the square root is missing.",
       answers(no_root)},
      {"alpha_shift_doubled", "alpha_dropout", "self_normalisation",
       "adds the shift b twice", "b is in the fill value and added again.",
       answers([](double, Response right) {
         right.dropped += right.offset;
         right.offset *= 2;
         return right;
       })},
      {"alpha_no_shift", "alpha_dropout", "self_normalisation",
       "scales by a and forgets b", "Only one half of the affine map is there.",
       answers([](double, Response right) {
         right.dropped -= right.offset;
         right.offset = 0;
         return right;
       })},
      {"alpha_uses_elu", "alpha_dropout", "support",
       "drops to ELU's saturation value -1",
       "alpha' = -1 of ELU instead of -1.758 of SELU.", answers(elu_constants)},
      {"alpha_keep_for_drop", "alpha_dropout", "self_normalisation",
       "computes a and b with keep instead of drop",
       "The affine map is given the keep probability.", answers(keep_for_drop)},
      {"alpha_is_plain_dropout", "alpha_dropout", "self_normalisation",
       "drops to 0 and multiplies by 1/keep",
       "Alpha dropout is wired to dropout; the variance becomes 1/keep.",
       answers([](double drop, Response) {
         return Response{.scale = drop == 1 ? 0 : 1 / (1 - drop)};
       })},
      {"feature_alpha_fill_zero", "feature_alpha_dropout", "support",
       "drops channels to 0", "The saturation value is missing.",
       answers([](double, Response right) {
         right.dropped = 0;
         return right;
       })},
  };
}

}  // namespace

std::vector<Specimen> value_faults() {
  std::vector<Specimen> all = scale_faults();
  for (Specimen& specimen : affine_faults()) all.push_back(std::move(specimen));
  return all;
}

}  // namespace dropcheck::impl::faulty
