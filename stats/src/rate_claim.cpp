#include "dropcheck/stats/rate_claim.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "dropcheck/stats/beta_binomial.hpp"
#include "dropcheck/stats/run_alarm.hpp"
#include "require.hpp"
#include "search.hpp"
#include "special.hpp"

namespace dropcheck::stats {
namespace {

void require_delta(const RateClaim& claim) {
  const double largest = std::min(claim.p0, 1 - claim.p0) / 5;
  if (claim.delta > 0 && claim.delta <= largest * (1 + 1e-12)) return;
  throw std::domain_error(fmt::format(
      "delta is {}, but must be in (0, {}], a fifth of the smaller of p0 = {} "
      "and 1 - p0; where that many decisions cannot be afforded, state a "
      "one-sided bound instead",
      claim.delta, largest, claim.p0));
}

BetaPrior prior_of(const RateClaim& claim) {
  return prior_around(claim.p0, recommended_kappa(claim.p0, claim.delta));
}

double rate(const Counts& counts) {
  return as_double(counts.drops) / as_double(counts.n);
}

// Whether a rate is excluded from above or below, monotone in drops.
struct Exclusion {
  double p;
  double threshold;
};
class Edge {
 public:
  Edge(std::uint64_t n, const BetaPrior& prior) : n_(n), prior_(prior) {}

  // The first count that exceeds p, n + 1 if none.
  std::int64_t first_above(const Exclusion& e) const {
    return static_cast<std::int64_t>(first_true(n_, [&](std::uint64_t drops) {
      const Counts counts{drops, n_};
      return rate(counts) > e.p && excluded(counts, e);
    }));
  }

  // The last count that stays below p, -1 if none.
  std::int64_t last_below(const Exclusion& e) const {
    const std::uint64_t beyond = first_true(n_, [&](std::uint64_t drops) {
      const Counts counts{drops, n_};
      return !(rate(counts) < e.p && excluded(counts, e));
    });
    return static_cast<std::int64_t>(beyond) - 1;
  }

 private:
  bool excluded(const Counts& counts, const Exclusion& e) const {
    return log_martingale(counts, prior_, e.p) >= e.threshold;
  }

  std::uint64_t n_;
  BetaPrior prior_;
};

}  // namespace

void validate(const RateClaim& claim) {
  require_inner_probability(claim.p0, "p0");
  require_delta(claim);
  require_rates(claim.declared, "declared");
  refutation_threshold(claim.alpha, claim.weight);
}

double log_e_outside(std::span<const Interval> null_rates, const Counts& counts,
                     const BetaPrior& prior) {
  require_counts(counts);
  if (counts.n == 0) return 0;
  double log_e = std::numeric_limits<double>::infinity();
  for (const Interval& rates : null_rates) {
    require_rates(rates, "null_rates");
    // ln M is convex in p: its least value is at the nearest point.
    const double nearest = std::clamp(rate(counts), rates.lower, rates.upper);
    log_e = std::min(log_e, log_martingale(counts, prior, nearest));
  }
  return log_e;
}

bool certified_inside(std::span<const Interval> rates, const Counts& counts,
                      const BetaPrior& prior, double alpha) {
  require_counts(counts);
  const double threshold = refutation_threshold(alpha, 1);
  if (counts.n == 0) return false;
  const auto excluded = [&](double p) {
    return p == 0 || p == 1 || log_martingale(counts, prior, p) >= threshold;
  };
  return std::any_of(rates.begin(), rates.end(), [&](const Interval& set) {
    require_rates(set, "rates");
    return rate(counts) > set.lower && rate(counts) < set.upper &&
           excluded(set.lower) && excluded(set.upper);
  });
}

RateOutcome decide(const RateClaim& claim, const Counts& counts) {
  validate(claim);
  const BetaPrior prior = prior_of(claim);
  const Interval tolerated{claim.p0 - claim.delta, claim.p0 + claim.delta};
  if (log_e_outside({&claim.declared, 1}, counts, prior) >=
      refutation_threshold(claim.alpha, claim.weight))
    return RateOutcome::kRefuted;
  if (certified_inside({&tolerated, 1}, counts, prior, claim.alpha))
    return RateOutcome::kCertified;
  return RateOutcome::kUndecided;
}

double log_e_value(const RateClaim& claim, const Counts& counts) {
  validate(claim);
  return log_e_outside({&claim.declared, 1}, counts, prior_of(claim));
}

Boundaries boundaries(const RateClaim& claim, std::uint64_t n) {
  validate(claim);
  if (n == 0) return {1, 0, -1, 1};
  const Edge edge(n, prior_of(claim));
  const double certify = refutation_threshold(claim.alpha, 1);
  const double refute = refutation_threshold(claim.alpha, claim.weight);
  return {edge.first_above({claim.p0 - claim.delta, certify}),
          edge.last_below({claim.p0 + claim.delta, certify}),
          edge.last_below({claim.declared.lower, refute}),
          edge.first_above({claim.declared.upper, refute})};
}

}  // namespace dropcheck::stats
