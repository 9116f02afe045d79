#include <algorithm>
#include <cmath>

#include "faulty/draws.hpp"
#include "reference/gaussian_dropout.hpp"

namespace dropcheck::impl::faulty {
namespace {

using reference::fill_normal;
using reference::NoiseRule;

double product(double x, double factor) { return x * factor; }

/// A fault that multiplies by 1 + deviation(drop) * normal.
Fault deviates(double (*deviation)(double drop)) {
  return {.noise = [deviation](const LayerConfig& config, NoiseRule) {
    const double width = deviation(config.drop_probability);
    return NoiseRule{
        .draw =
            [width](RandomStream& stream, std::span<double> factors) {
              fill_normal(stream, factors);
              for (double& factor : factors) factor = 1 + width * factor;
            },
        .combine = product};
  }};
}

/// A fault that changes the right factors afterwards.
Fault changes(void (*change)(double drop, std::span<double> factors)) {
  return {.noise = [change](const LayerConfig& config, NoiseRule right) {
    const double drop = config.drop_probability;
    return NoiseRule{.draw =
                         [=](RandomStream& stream, std::span<double> factors) {
                           right.draw(stream, factors);
                           change(drop, factors);
                         },
                     .combine = right.combine};
  }};
}

NoiseRule add_instead(const LayerConfig&, NoiseRule right) {
  right.combine = [](double x, double factor) { return x + (factor - 1); };
  return right;
}

NoiseRule draw_uniform(const LayerConfig& config, NoiseRule) {
  const double drop = config.drop_probability;
  const double half = std::sqrt(3 * drop / (1 - drop));
  return {.draw =
              [half](RandomStream& stream, std::span<double> factors) {
                for (double& factor : factors) {
                  factor = 1 + half * (2 * uniform(stream.next()) - 1);
                }
              },
          .combine = product};
}

NoiseRule draw_once(const LayerConfig&, NoiseRule right) {
  return {.draw =
              [right](RandomStream&, std::span<double> factors) {
                RandomStream constant(42);
                right.draw(constant, factors);
              },
          .combine = right.combine};
}

void truncate(double drop, std::span<double> factors) {
  const double most = 2 * std::sqrt(drop / (1 - drop));
  for (double& factor : factors) {
    factor = std::clamp(factor, 1 - most, 1 + most);
  }
}

void share_pairs(double, std::span<double> factors) {
  for (std::size_t i = 1; i < factors.size(); i += 2) {
    factors[i] = factors[i - 1];
  }
}

}  // namespace

std::vector<Specimen> noise_faults() {
  return {
      {"gaussian_noise_added",
       "gaussian_dropout",
       "distribution",
       "adds N(0, drop/keep) instead of multiplying by N(1, drop/keep)",
       "keras #5665: the noise does not grow with the input.",
       {.noise = add_instead}},
      {"gaussian_variance_p", "gaussian_dropout", "distribution",
       "multiplies by N(1, drop) instead of N(1, drop/keep)",
       "The variance of the mask itself, not of the scaled one.",
       deviates([](double drop) { return std::sqrt(drop); })},
      {"gaussian_variance_as_deviation", "gaussian_dropout", "distribution",
       "takes drop/keep for the standard deviation",
       "The square root is missing.",
       deviates([](double drop) { return drop / (1 - drop); })},
      {"gaussian_truncated", "gaussian_dropout", "distribution",
       "cuts the noise off at two standard deviations",
       "A truncated normal initialiser is used for the noise.",
       changes(truncate)},
      {"gaussian_uniform",
       "gaussian_dropout",
       "distribution",
       "multiplies by uniform noise of the right mean and variance",
       "Two moments are right, the law is not.",
       {.noise = draw_uniform}},
      {"gaussian_pairs", "gaussian_dropout", "independence_within",
       "two neighbours share their noise",
       "Both outputs of Box and Muller's method are taken from one.",
       changes(share_pairs)},
      {"gaussian_same_noise_every_call",
       "gaussian_dropout",
       "independence_calls",
       "every call draws the same noise",
       "The seed is a constant of the graph; Paddle #7796.",
       {.noise = draw_once}},
      {"gaussian_active_at_eval",
       "gaussian_dropout",
       "eval_identity",
       "multiplies by noise at evaluation too",
       "The mode is ignored; apex #1449.",
       {.evaluation = Evaluation::kDrops}},
      {"gaussian_backward_new_noise",
       "gaussian_dropout",
       "backward_mask",
       "the gradient uses fresh noise",
       "Recomputation without the random state; pytorch #190717.",
       {.gradient = Gradient::kNewMask}},
  };
}

}  // namespace dropcheck::impl::faulty
