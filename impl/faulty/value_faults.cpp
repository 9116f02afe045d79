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
      {"gaussian_for_bernoulli", "dropout", "support",
       "multiplies by N(1, drop/keep)",
       "Gaussian dropout under the name of dropout: two moments are right.",
       noisy([](double x, double noise) { return x * (1 + noise); })},
      {"noise_added", "dropout", "support", "adds N(0, drop/keep)",
       "Noise is added instead of multiplied; keras #5665.",
       noisy([](double x, double noise) { return x + noise; })},
  };
}

std::vector<Specimen> alpha_faults() {
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
  for (Specimen& specimen : alpha_faults()) all.push_back(std::move(specimen));
  return all;
}

}  // namespace dropcheck::impl::faulty
