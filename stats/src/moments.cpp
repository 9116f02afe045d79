#include "dropcheck/stats/moments.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "require.hpp"
#include "special.hpp"

namespace dropcheck::stats {
namespace {

double binomial_coefficient(int n, int k) {
  double product = 1;
  for (int i = 1; i <= k; ++i) product = product * (n - k + i) / i;
  return product;
}

// E[(s y + t)^k] for every k.
RawMoments affine(const RawMoments& raw, double s, double t) {
  RawMoments result{};
  for (int k = 0; k <= 8; ++k)
    for (int j = 0; j <= k; ++j)
      result[static_cast<std::size_t>(k)] +=
          binomial_coefficient(k, j) * std::pow(s, j) *
          raw[static_cast<std::size_t>(j)] * std::pow(t, k - j);
  return result;
}

struct Estimate {
  double value;
  double expected;
  double variance;
};

Diagnostic assess(std::string name, const Moments& sample,
                  const Estimate& estimate) {
  require(sample.n >= 2, "number of values", sample.n, "at least 2");
  const double difference = estimate.value - estimate.expected;
  require_finite(difference, name);
  const double deviation = std::sqrt(std::max(0.0, estimate.variance));
  Diagnostic result{.name = std::move(name), .note = "diagnostic: asymptotic"};
  if (!(deviation > 0)) {
    result.note += "; the law gives this statistic no variance";
    return result;
  }
  result.statistic = difference / deviation;
  result.log10_p = two_sided_log10_p(result.statistic);
  return result;
}

}  // namespace

void Moments::add(double y) { merge({.n = 1, .mean = y}); }

void Moments::merge(const Moments& o) {
  if (o.n == 0) return;
  if (n == 0) {
    *this = o;
    return;
  }
  const double total = n + o.n;
  const double d = o.mean - mean;
  const double r = d / total;
  const double product = n * o.n;
  m4 += o.m4 + d * r * r * r * product * (n * n - product + o.n * o.n) +
        6 * r * r * (n * n * o.m2 + o.n * o.n * m2) +
        4 * r * (n * o.m3 - o.n * m3);
  m3 += o.m3 + d * r * r * product * (n - o.n) + 3 * r * (n * o.m2 - o.n * m2);
  m2 += o.m2 + d * r * product;
  mean += r * o.n;
  n = total;
}

double TheoreticalMoments::skewness() const {
  return central[3] / std::pow(central[2], 1.5);
}

double TheoreticalMoments::kurtosis() const {
  return central[4] / (central[2] * central[2]);
}

TheoreticalMoments central_moments(const RawMoments& raw) {
  for (const double moment : raw) require_finite(moment, "raw moment");
  require(std::abs(raw[0] - 1) <= 1e-12, "raw moment 0", raw[0], "1");
  return {raw[1], affine(raw, 1, -raw[1])};
}

TheoreticalMoments masked_moments(const RawMoments& input,
                                  const MaskedLaw& law) {
  const double drop = law.drop_probability;
  require_probability(drop, "drop_probability");
  require_finite(law.dropped_value, "dropped_value");
  require_finite(law.scale, "scale");
  require_finite(law.shift, "shift");
  RawMoments mixed{};
  for (std::size_t k = 0; k < mixed.size(); ++k)
    mixed[k] = (1 - drop) * input[k] +
               drop * std::pow(law.dropped_value, static_cast<double>(k));
  // Central moments before the affine map: the shift would only cancel.
  TheoreticalMoments result = central_moments(mixed);
  result.mean = law.scale * result.mean + law.shift;
  result.central = affine(result.central, law.scale, 0);
  return result;
}

Diagnostic mean_test(const Moments& sample, const TheoreticalMoments& theory) {
  return assess("mean", sample,
                {sample.mean, theory.mean, theory.variance() / sample.n});
}

// Var(s^2) = (mu4 - sigma^4 (n - 3) / (n - 1)) / n, exactly.
Diagnostic variance_test(const Moments& sample,
                         const TheoreticalMoments& theory) {
  const double n = sample.n;
  const double squared = theory.variance() * theory.variance();
  const double variance = (theory.central[4] - squared * (n - 3) / (n - 1)) / n;
  return assess("variance", sample,
                {sample.m2 / (n - 1), theory.variance(), variance});
}

// E[m3 / n] = mu3 (n - 1) (n - 2) / n^2, exactly, and
// n Var(m3 / n) -> mu6 - mu3^2 - 6 mu4 mu2 + 9 mu2^3.
Diagnostic skewness_test(const Moments& sample,
                         const TheoreticalMoments& theory) {
  const RawMoments& mu = theory.central;
  const double n = sample.n;
  const double expected = mu[3] * (n - 1) * (n - 2) / (n * n);
  const double variance =
      mu[6] - mu[3] * mu[3] - 6 * mu[4] * mu[2] + 9 * mu[2] * mu[2] * mu[2];
  return assess("skewness", sample, {sample.m3 / n, expected, variance / n});
}

// E[m4 / n] = (n - 1) ((n^2 - 3n + 3) mu4 + (6n - 9) mu2^2) / n^3, exactly, and
// n Var(m4 / n) -> mu8 - mu4^2 - 8 mu5 mu3 + 16 mu2 mu3^2.
Diagnostic kurtosis_test(const Moments& sample,
                         const TheoreticalMoments& theory) {
  const RawMoments& mu = theory.central;
  const double n = sample.n;
  const double expected =
      (n - 1) * ((n * n - 3 * n + 3) * mu[4] + (6 * n - 9) * mu[2] * mu[2]) /
      (n * n * n);
  const double variance =
      mu[8] - mu[4] * mu[4] - 8 * mu[5] * mu[3] + 16 * mu[2] * mu[3] * mu[3];
  return assess("kurtosis", sample, {sample.m4 / n, expected, variance / n});
}

}  // namespace dropcheck::stats
