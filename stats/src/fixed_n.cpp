#include "dropcheck/stats/fixed_n.hpp"

#include <algorithm>
#include <cmath>

#include "dropcheck/stats/binomial_tail.hpp"
#include "require.hpp"
#include "special.hpp"

namespace dropcheck::stats {
namespace {

void require_level(double value, const char* name) {
  require(value > 0 && value < 0.5, name, value, "in (0, 0.5)");
}

void validate(const Tost& test) {
  require_inner_probability(test.p0, "p0");
  const double largest = std::min(test.p0, 1 - test.p0);
  require(test.delta > 0 && test.delta <= largest, "delta", test.delta,
          "in (0, min(p0, 1 - p0)]");
  require_level(test.alpha, "alpha");
}

// The smallest k in [0, n + 1] from which on `holds` is true.
template <typename Holds>
std::uint64_t first_true(std::uint64_t n, const Holds& holds) {
  std::uint64_t low = 0;
  std::uint64_t high = n + 1;
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    if (holds(middle)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

}  // namespace

TostRegion tost_region(const Tost& test, std::uint64_t n) {
  validate(test);
  const double level = std::log(test.alpha);
  const auto certainly_above = [&](std::uint64_t k) {
    return log_upper_tail(k, n, test.p0 - test.delta) <= level;
  };
  const auto maybe_above = [&](std::uint64_t k) {
    return log_lower_tail(k, n, test.p0 + test.delta) > level;
  };
  return {static_cast<std::int64_t>(first_true(n, certainly_above)),
          static_cast<std::int64_t>(first_true(n, maybe_above)) - 1};
}

double tost_log_miss(const Tost& test, std::uint64_t n) {
  const auto [first, last] = tost_region(test, n);
  if (first > last) return 0;
  const auto upper = static_cast<std::uint64_t>(last) + 1;
  const double above = log_upper_tail(upper, n, test.p0);
  if (first == 0) return above;
  const auto lower = static_cast<std::uint64_t>(first) - 1;
  return log_add(above, log_lower_tail(lower, n, test.p0));
}

double log_likelihood_ratio(const Counts& counts, double p0, double p1) {
  require_counts(counts);
  require_inner_probability(p0, "p0");
  require_inner_probability(p1, "p1");
  const double shift = p1 - p0;
  return as_double(counts.drops) * std::log1p(shift / p0) +
         as_double(counts.n - counts.drops) * std::log1p(-shift / (1 - p0));
}

SprtThresholds sprt_thresholds(double alpha, double beta) {
  require_level(alpha, "alpha");
  require_level(beta, "beta");
  return {std::log1p(-beta) - std::log(alpha),
          std::log(beta) - std::log1p(-alpha)};
}

}  // namespace dropcheck::stats
