#include "detection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

namespace dropcheck::properties {

double detectable_z(double threshold, double overhead) {
  constexpr double kQuantile = 5.99780701500769;  // of 1 - 1e-9
  return kQuantile + std::sqrt(2 * (threshold + overhead));
}

double mixture_overhead(double n) { return std::log(std::max(n, 2.0)) / 2; }

double two_digits(double value) {
  return std::stod(fmt::format("{:.2g}", value));
}

}  // namespace dropcheck::properties
