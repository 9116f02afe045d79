#include "rules.hpp"

#include <algorithm>
#include <cmath>
#include <ranges>

#include "dropcheck/stats/beta_binomial.hpp"
#include "dropcheck/stats/fixed_n.hpp"
#include "dropcheck/stats/look_schedule.hpp"
#include "dropcheck/stats/run_alarm.hpp"

namespace dropcheck::stats {
namespace {

double rate(const Counts& counts) {
  return static_cast<double>(counts.drops) / static_cast<double>(counts.n);
}

std::vector<std::uint64_t> shipped_looks(const RateClaim& claim) {
  const double p = claim.p0;
  const double unit = p * (1 - p) / (claim.delta * claim.delta);
  return look_schedule(n_max(p, claim.delta, claim.alpha), 2 * unit);
}

// The smallest drops in [0, n + 1] from which on `holds` is true.
template <typename Holds>
std::int64_t first_true(std::uint64_t n, const Holds& holds) {
  const auto drops = std::views::iota(std::uint64_t{0}, n + 1);
  const auto first = std::ranges::partition_point(drops, [&](std::uint64_t k) {
    return !holds(Counts{k, n});
  });
  return static_cast<std::int64_t>(first - drops.begin());
}

// The verdicts of a rule that excludes rates: excludes(counts, p).
template <typename Excludes>
Boundaries boundaries_of(const RateClaim& claim, std::uint64_t n,
                         const Excludes& excludes) {
  const auto above = [&](double p) {
    return first_true(
        n, [&](const Counts& c) { return rate(c) > p && excludes(c, p); });
  };
  const auto below = [&](double p) {
    return first_true(n,
                      [&](const Counts& c) {
                        return rate(c) >= p || !excludes(c, p);
                      }) -
           1;
  };
  return {above(claim.p0 - claim.delta), below(claim.p0 + claim.delta),
          below(claim.declared.lower), above(claim.declared.upper)};
}

}  // namespace

Rule shipped(const RateClaim& claim) {
  return {shipped_looks(claim),
          [claim](std::uint64_t n) { return boundaries(claim, n); }};
}

Rule shipped_by_calls(const RateClaim& claim, std::uint64_t units_per_call) {
  Rule rule = shipped(claim);
  for (std::uint64_t& look : rule.looks)
    look = (look + units_per_call - 1) / units_per_call * units_per_call;
  rule.looks.erase(std::unique(rule.looks.begin(), rule.looks.end()),
                   rule.looks.end());
  return rule;
}

Rule robbins_lai(const RateClaim& claim) {
  const double threshold = refutation_threshold(claim.alpha, 1);
  // A flat prior needs up to 1.2 times as long.
  const double longest =
      1.3 * static_cast<double>(n_max(claim.p0, claim.delta, claim.alpha));
  const double unit = claim.p0 * (1 - claim.p0) / (claim.delta * claim.delta);
  return {look_schedule(static_cast<std::uint64_t>(longest), 2 * unit),
          [claim, threshold](std::uint64_t n) {
            return boundaries_of(claim, n, [&](const Counts& c, double p) {
              return log_martingale(c, {1, 1}, p) >= threshold;
            });
          }};
}

Rule wilson_with_looks(const RateClaim& claim) {
  constexpr double kZ = 6.1094102048694;  // two-sided 1e-9
  return {shipped_looks(claim), [claim](std::uint64_t n) {
            return boundaries_of(claim, n, [](const Counts& c, double p) {
              const double distance = std::abs(rate(c) - p);
              return distance >=
                     kZ * std::sqrt(p * (1 - p) / static_cast<double>(c.n));
            });
          }};
}

std::uint64_t tost_n(const RateClaim& claim) {
  const Tost test{claim.p0, claim.delta, claim.alpha};
  const auto enough = [&](std::uint64_t n) {
    return tost_log_miss(test, n) <= std::log(claim.alpha);
  };
  std::uint64_t low = 1;
  std::uint64_t high = n_max(claim.p0, claim.delta, claim.alpha);
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    if (enough(middle)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

}  // namespace dropcheck::stats
