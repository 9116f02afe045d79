#include "exact.hpp"

#include <algorithm>
#include <cmath>

#include "dropcheck/stats/binomial_tail.hpp"

namespace dropcheck::properties::todays_tests {
namespace {

double upper_tail(std::uint64_t k, std::uint64_t n, double probability) {
  return std::exp(stats::log_upper_tail(k, n, probability));
}

double lower_tail(std::uint64_t k, std::uint64_t n, double probability) {
  return std::exp(stats::log_lower_tail(k, n, probability));
}

/// The first number in [lower, upper) for which `holds`, else upper; it must
/// be false and then true.
template <class Holds>
std::uint64_t first_where(std::uint64_t lower, std::uint64_t upper,
                          Holds holds) {
  while (lower < upper) {
    const std::uint64_t middle = lower + (upper - lower) / 2;
    if (holds(middle)) {
      upper = middle;
    } else {
      lower = middle + 1;
    }
  }
  return lower;
}

std::uint64_t mode(std::uint64_t n, double probability) {
  const double count = std::floor(static_cast<double>(n + 1) * probability);
  return std::min(n, static_cast<std::uint64_t>(count));
}

}  // namespace

double rejected_mass(std::uint64_t n, double keep,
                     const std::function<bool(double kept)>& accepts) {
  double sum = 0;
  for (std::uint64_t k = 0; k <= n; ++k) {
    if (!accepts(static_cast<double>(k))) {
      sum += std::exp(stats::log_mass(k, n, keep));
    }
  }
  return sum;
}

double two_sided_p(std::uint64_t k, std::uint64_t n, double probability) {
  const std::uint64_t top = mode(n, probability);
  const double limit = stats::log_mass(k, n, probability) + std::log1p(1e-7);
  const auto rare = [&](std::uint64_t count) {
    return stats::log_mass(count, n, probability) <= limit;
  };
  const auto common = [&](std::uint64_t count) { return !rare(count); };
  // Masses rise up to the mode and fall beyond it.
  const std::uint64_t begin = first_where(0, top, common);
  const std::uint64_t end = first_where(top, n + 1, rare);
  const double below = begin == 0 ? 0 : lower_tail(begin - 1, n, probability);
  const double above = end > n ? 0 : upper_tail(end, n, probability);
  return std::min(1.0, below + above);
}

CountRange accepted_counts(std::uint64_t n, double probability, double level) {
  const std::uint64_t top = mode(n, probability);
  const auto accepted = [&](std::uint64_t k) {
    return two_sided_p(k, n, probability) > level;
  };
  const auto rejected = [&](std::uint64_t k) { return !accepted(k); };
  return {.lower = first_where(0, top, accepted),
          .upper = first_where(top, n + 1, rejected) - 1};
}

double outside(const CountRange& range, std::uint64_t n, double probability) {
  const double below =
      range.lower == 0 ? 0 : lower_tail(range.lower - 1, n, probability);
  const double above =
      range.upper == n ? 0 : upper_tail(range.upper + 1, n, probability);
  return below + above;
}

}  // namespace dropcheck::properties::todays_tests
