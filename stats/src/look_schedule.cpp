#include "dropcheck/stats/look_schedule.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "require.hpp"
#include "special.hpp"

namespace dropcheck::stats {
namespace {

constexpr double kBudget = 180;

// 44,000 looks up to 2^63; nobody gains by more.
constexpr double kLeastFactor = 1.001;

// In units of p0 (1 - p0) / delta^2, by -log10(alpha): exact dynamic
// programming in the diffusion limit.
struct Cost {
  double digits;
  double certify;
  double detect;
  double quantile;
};
constexpr std::array kCosts = {
    Cost{6, 39.8, 31.6, 137}, Cost{9, 55.7, 45.6, 165},
    Cost{11, 66.1, 55.1, 182}, Cost{12, 71.3, 59.8, 190},
    Cost{13, 76.4, 64.5, 198}};

// Linear between the rows, and beyond them along the outer two.
double interpolate(double alpha, double Cost::*column) {
  require_level(alpha, "alpha");
  const double digits = -std::log10(alpha);
  std::size_t i = 1;
  while (i + 1 < kCosts.size() && kCosts[i].digits < digits) ++i;
  const Cost& low = kCosts[i - 1];
  const Cost& high = kCosts[i];
  const double step = (digits - low.digits) / (high.digits - low.digits);
  return low.*column + step * (high.*column - low.*column);
}

double time_unit(double p0, double delta) {
  require_inner_probability(p0, "p0");
  require_positive(delta, "delta");
  return p0 * (1 - p0) / (delta * delta);
}

// Rounds up, but not over the last bits of a product that is an integer.
std::uint64_t round_up(double value) {
  require(value < 0x1p63, "n", value, "below 2^63");
  return static_cast<std::uint64_t>(std::ceil(value * (1 - 1e-12)));
}

}  // namespace

std::vector<std::uint64_t> look_schedule(std::uint64_t n_max, double first,
                                         double factor) {
  require(n_max >= 1, "n_max", as_double(n_max), "at least 1");
  require_size(n_max, "n_max");
  require(first >= 1, "first", first, "at least 1");
  require(factor >= kLeastFactor, "factor", factor, "at least 1.001");
  const double last = as_double(n_max);
  std::vector<std::uint64_t> looks;
  const auto append = [&](std::uint64_t look) {
    if (look < n_max && (looks.empty() || look > looks.back()))
      looks.push_back(look);
  };
  double look = 64;
  while (look < std::min(first, last)) {
    append(static_cast<std::uint64_t>(look));
    look *= 2;
  }
  look = first;
  while (look < last) {
    append(round_up(look));
    look *= factor;
  }
  looks.push_back(n_max);
  return looks;
}

std::uint64_t n_max(double p0, double delta, double alpha) {
  const double scale =
      interpolate(alpha, &Cost::quantile) / interpolate(1e-9, &Cost::quantile);
  return round_up(kBudget * scale * time_unit(p0, delta));
}

double expected_n(double p0, double delta, double alpha) {
  return interpolate(alpha, &Cost::certify) * time_unit(p0, delta);
}

double detection_n(double p0, double delta, double alpha) {
  return interpolate(alpha, &Cost::detect) * time_unit(p0, delta);
}

double affordable_delta(double p0, double units) {
  require_inner_probability(p0, "p0");
  require_positive(units, "units");
  return std::sqrt(kBudget * p0 * (1 - p0) / units);
}

}  // namespace dropcheck::stats
