#include "dropcheck/stats/fixed_n.hpp"

#include <algorithm>
#include <cmath>

#include "dropcheck/stats/binomial_tail.hpp"
#include "require.hpp"
#include "special.hpp"

namespace dropcheck::stats {
namespace {

constexpr std::uint64_t kLargest = std::uint64_t{1} << 62;

void validate(const Tost& test) {
  require_inner_probability(test.p0, "p0");
  const double largest = std::min(test.p0, 1 - test.p0);
  require(test.delta > 0 && test.delta <= largest, "delta", test.delta,
          "in (0, min(p0, 1 - p0)]");
  require_level(test.alpha, "alpha");
}

}  // namespace

TostRegion tost_region(const Tost& test, std::uint64_t n) {
  validate(test);
  const double level = std::log(test.alpha);
  return {static_cast<std::int64_t>(
              upper_critical_count(n, test.p0 - test.delta, level)),
          lower_critical_count(n, test.p0 + test.delta, level)};
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

std::uint64_t tost_sample_size(const Tost& test, double beta) {
  validate(test);
  require_level(beta, "beta");
  const double log_beta = std::log(beta);
  std::uint64_t enough = 1;
  while (tost_log_miss(test, enough) > log_beta) {
    enough *= 2;
    require(enough < kLargest, "number needed", as_double(enough),
            "below 2^62");
  }
  std::uint64_t too_few = enough / 2;
  while (enough - too_few > 1) {
    const std::uint64_t middle = too_few + (enough - too_few) / 2;
    (tost_log_miss(test, middle) <= log_beta ? enough : too_few) = middle;
  }
  return enough;
}

double log_likelihood_ratio(const Counts& counts, double p0, double p1) {
  require_counts(counts);
  require_inner_probability(p0, "p0");
  require_inner_probability(p1, "p1");
  const double shift = p1 - p0;
  return as_double(counts.drops) * log_ratio({p1, p0, shift}) +
         as_double(counts.n - counts.drops) *
             log_ratio({1 - p1, 1 - p0, -shift});
}

SprtThresholds sprt_thresholds(double alpha, double beta) {
  require_level(alpha, "alpha");
  require_level(beta, "beta");
  return {std::log1p(-beta) - std::log(alpha),
          std::log(beta) - std::log1p(-alpha)};
}

}  // namespace dropcheck::stats
