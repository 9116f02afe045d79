#include "detection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

namespace dropcheck::properties {

namespace {

constexpr double kQuantile = 5.99780701500769;  // of 1 - 1e-9

/// The smallest effect in (0, most] that is found, or `most`.
template <class Found>
double smallest(const Found& found, double most) {
  double low = 0;
  double high = most;
  for (int round = 0; round < 60; ++round) {
    const double middle = (low + high) / 2;
    (found(middle) ? high : low) = middle;
  }
  return high;
}

}  // namespace

double detectable_z(double threshold, double overhead) {
  return kQuantile + std::sqrt(2 * (threshold + overhead));
}

double mixture_overhead(double n) { return std::log(std::max(n, 2.0)) / 2; }

namespace {

/// Of ln of the likelihood ratio of one pair of decisions: mean and variance
/// where their correlation is `r`.
struct Evidence {
  double mean = 0;
  double variance = 0;
};

Evidence evidence_of_pair(double p, double r) {
  const double q = 1 - p;
  double mean = 0;
  double square = 0;
  for (const bool first : {false, true}) {
    const double drops = first ? p + r * q : p * (1 - r);
    for (const bool second : {false, true}) {
      const double chance = (first ? p : q) * (second ? drops : 1 - drops);
      if (chance <= 0) continue;
      const double ratio = std::log(second ? drops / p : (1 - drops) / q);
      mean += chance * ratio;
      square += chance * ratio * ratio;
    }
  }
  return {mean, square - mean * mean};
}

}  // namespace

double detectable_correlation(double p, double pairs, double threshold) {
  const auto found = [&](double r) {
    const Evidence one = evidence_of_pair(p, r);
    return pairs * one.mean - kQuantile * std::sqrt(pairs * one.variance) >=
           threshold;
  };
  return std::min(1.0, smallest(found, 1) * 1.05);
}

double detectable_variance(double groups, double threshold) {
  // Of a normal deviate with the variance 1 + excess: ln of the ratio to a
  // standard one has mean (excess - ln(1 + excess)) / 2 and variance
  // excess^2 / 2.
  const auto found = [&](double excess) {
    const double mean = (excess - std::log1p(excess)) / 2;
    return groups * mean - kQuantile * excess * std::sqrt(groups / 2) >=
           threshold;
  };
  return smallest(found, 1e3) * 1.05;
}

double two_digits(double value) {
  return std::stod(fmt::format("{:.2g}", value));
}

}  // namespace dropcheck::properties
