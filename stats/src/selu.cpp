#include "dropcheck/stats/selu.hpp"

#include <cmath>
#include <numbers>

#include "require.hpp"

namespace dropcheck::stats {
namespace {

// E[z^k ; z > 0] = 2^(k/2) Gamma((k+1)/2) / (2 sqrt pi), by recurrence.
double half_normal_moment(int k) {
  const double density = 0.5 * std::numbers::inv_sqrtpi * std::numbers::sqrt2;
  if (k == 0) return 0.5;
  if (k == 1) return density;
  return (k - 1) * half_normal_moment(k - 2);
}

// E[(e^z - 1)^k ; z < 0] by the binomial theorem.
double exponential_moment(int k) {
  double sum = 0;
  double coefficient = k % 2 == 0 ? 1 : -1;
  for (int j = 0; j <= k; ++j) {
    const double tail = 0.5 * std::erfc(j / std::numbers::sqrt2);
    sum += coefficient * std::exp(j * j / 2.0) * tail;
    coefficient *= -static_cast<double>(k - j) / (j + 1);
  }
  return sum;
}

}  // namespace

AlphaDropoutMap alpha_dropout_map(double drop_probability) {
  const double drop = drop_probability;
  require(drop >= 0 && drop < 1, "drop_probability", drop, "in [0, 1)");
  const double spread = 1 + drop * kAlphaPrime * kAlphaPrime;
  const double a = 1 / std::sqrt((1 - drop) * spread);
  return {a, -a * drop * kAlphaPrime};
}

RawMoments normal_raw_moments() { return {1, 0, 1, 0, 3, 0, 15, 0, 105}; }

RawMoments selu_raw_moments() {
  RawMoments raw{1, 0, 1};
  for (int k = 3; k <= 8; ++k)
    raw[static_cast<std::size_t>(k)] =
        std::pow(kSeluScale, k) *
        (half_normal_moment(k) +
         std::pow(kSeluAlpha, k) * exponential_moment(k));
  return raw;
}

TheoreticalMoments alpha_dropout_moments(const RawMoments& input,
                                         double drop_probability) {
  const auto [a, b] = alpha_dropout_map(drop_probability);
  return masked_moments(input, {.drop_probability = drop_probability,
                                .dropped_value = kAlphaPrime,
                                .scale = a,
                                .shift = b});
}

}  // namespace dropcheck::stats
