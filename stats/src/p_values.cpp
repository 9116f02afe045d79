#include "dropcheck/stats/p_values.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "require.hpp"
#include "special.hpp"

namespace dropcheck::stats {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

void require_log_p(double log_p) {
  require(log_p <= 0, "log_p", log_p, "at most 0");
}

double require_all(std::span<const double> log_p) {
  require_shape(!log_p.empty(), "number of p-values", log_p.size(), "positive");
  for (const double value : log_p) require_log_p(value);
  return static_cast<double>(log_p.size());
}

// Indices from the smallest p-value to the largest.
std::vector<std::size_t> order(std::span<const double> log_p) {
  std::vector<std::size_t> indices(log_p.size());
  std::iota(indices.begin(), indices.end(), std::size_t{0});
  std::stable_sort(
      indices.begin(), indices.end(),
      [&](std::size_t i, std::size_t j) { return log_p[i] < log_p[j]; });
  return indices;
}

// (1 - p + p x) / x^2 at x = ln p near 0: the sum over k >= 2 of
// x^(k - 2) (k - 1) / k!.
double calibrator_series(double x) {
  double sum = 0;
  double term = 0.5;
  for (int k = 2; k < 12; ++k) {
    sum += (k - 1) * term;
    term *= x / (k + 1);
  }
  return sum;
}

}  // namespace

double log_bonferroni(std::span<const double> log_p) {
  const double m = require_all(log_p);
  const double least = *std::min_element(log_p.begin(), log_p.end());
  return std::min(0.0, std::log(m) + least);
}

std::vector<double> log_holm(std::span<const double> log_p) {
  double left = require_all(log_p);
  std::vector<double> adjusted(log_p.size());
  double largest = -kInfinity;
  for (const std::size_t i : order(log_p)) {
    largest = std::max(largest, std::min(0.0, std::log(left) + log_p[i]));
    adjusted[i] = largest;
    --left;
  }
  return adjusted;
}

double log_fisher(std::span<const double> log_p) {
  const double m = require_all(log_p);
  const double sum = std::accumulate(log_p.begin(), log_p.end(), 0.0);
  return std::isinf(sum) ? sum : log_chi_square_upper_tail(-2 * sum, 2 * m);
}

double log_harmonic_mean(std::span<const double> log_p) {
  const double m = require_all(log_p);
  const double factor = m < 3 ? m : std::numbers::e * std::log(m);
  double sum = -kInfinity;
  for (const double value : log_p) sum = log_add(sum, -value);
  return std::min(0.0, std::log(factor * m) - sum);
}

double log_calibrated_e(double log_p, double kappa) {
  require_log_p(log_p);
  require_inner_probability(kappa, "kappa");
  return std::log(kappa) - (1 - kappa) * log_p;
}

double log_calibrated_e(double log_p) {
  require_log_p(log_p);
  if (std::isinf(log_p)) return kInfinity;
  if (log_p > -0.1) return std::log(calibrator_series(log_p)) - log_p;
  const double p = std::exp(log_p);
  return std::log1p(safe_product(p, log_p - 1)) - log_p - 2 * std::log(-log_p);
}

}  // namespace dropcheck::stats
