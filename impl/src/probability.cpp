#include "dropcheck/impl/probability.hpp"

#include <fmt/format.h>

#include <cmath>
#include <stdexcept>

namespace dropcheck::impl {
namespace {

double checked(double value, const char* which) {
  if (value >= 0 && value <= 1) return value;
  throw std::domain_error(
      fmt::format("{} probability is {}, but must be in [0, 1]", which, value));
}

}  // namespace

Probability Probability::from_drop(double drop) {
  return {checked(drop, "drop"), 1 - drop};
}

Probability Probability::from_keep(double keep) {
  return {1 - keep, checked(keep, "keep")};
}

// The threshold is ceil(keep * 2^64), taken from the drop side when that is
// the smaller one: 1 - drop would have lost the low bits of a tiny drop.
Probability::Probability(double drop, double keep)
    : drop_(drop), keep_(keep), keep_threshold_(0), always_(drop == 0) {
  if (always_ || keep == 0) return;
  if (drop < keep) {
    const double scaled = std::floor(std::ldexp(drop, 64));
    keep_threshold_ = std::uint64_t{0} - static_cast<std::uint64_t>(scaled);
    always_ = scaled == 0;
  } else {
    keep_threshold_ =
        static_cast<std::uint64_t>(std::ceil(std::ldexp(keep, 64)));
  }
}

}  // namespace dropcheck::impl
