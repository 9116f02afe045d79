#include "dropcheck/stats/rate_claim.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "dropcheck/stats/beta_binomial.hpp"
#include "dropcheck/stats/run_alarm.hpp"
#include "require.hpp"
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

// The four conditions of a verdict, each monotone in drops.
class Judge {
 public:
  explicit Judge(const RateClaim& claim)
      : claim_(claim),
        prior_(
            prior_around(claim.p0, recommended_kappa(claim.p0, claim.delta))),
        certify_(refutation_threshold(claim.alpha, 1)),
        refute_(refutation_threshold(claim.alpha, claim.weight)) {}

  bool above(const Counts& c) const {
    return exceeds(c, claim_.p0 - claim_.delta, certify_);
  }
  bool below(const Counts& c) const {
    return undercuts(c, claim_.p0 + claim_.delta, certify_);
  }
  bool too_high(const Counts& c) const {
    return exceeds(c, claim_.declared.upper, refute_);
  }
  bool too_low(const Counts& c) const {
    return undercuts(c, claim_.declared.lower, refute_);
  }
  double log_e(const Counts& c) const {
    const auto [lower, upper] = claim_.declared;
    return log_martingale(c, prior_, std::clamp(rate(c), lower, upper));
  }

 private:
  static double rate(const Counts& c) {
    return c.n == 0 ? 0 : as_double(c.drops) / as_double(c.n);
  }
  bool exceeds(const Counts& c, double p, double threshold) const {
    return rate(c) > p && log_martingale(c, prior_, p) >= threshold;
  }
  bool undercuts(const Counts& c, double p, double threshold) const {
    return rate(c) < p && log_martingale(c, prior_, p) >= threshold;
  }

  RateClaim claim_;
  BetaPrior prior_;
  double certify_;
  double refute_;
};

// The smallest drops in [0, n + 1] from which on `holds` is true.
template <typename Holds>
std::int64_t first_true(std::uint64_t n, const Holds& holds) {
  std::uint64_t low = 0;
  std::uint64_t high = n + 1;
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    if (holds(Counts{middle, n})) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return static_cast<std::int64_t>(low);
}

template <typename Holds>
std::int64_t last_true(std::uint64_t n, const Holds& holds) {
  return first_true(n, [&](const Counts& c) { return !holds(c); }) - 1;
}

}  // namespace

void validate(const RateClaim& claim) {
  require_inner_probability(claim.p0, "p0");
  require_delta(claim);
  require_rates(claim.declared, "declared");
  refutation_threshold(claim.alpha, claim.weight);
}

RateOutcome decide(const RateClaim& claim, const Counts& counts) {
  validate(claim);
  require_counts(counts);
  if (counts.n == 0) return RateOutcome::kUndecided;
  const Judge judge(claim);
  if (judge.too_high(counts) || judge.too_low(counts))
    return RateOutcome::kRefuted;
  if (judge.above(counts) && judge.below(counts))
    return RateOutcome::kCertified;
  return RateOutcome::kUndecided;
}

double log_e_value(const RateClaim& claim, const Counts& counts) {
  validate(claim);
  require_counts(counts);
  return Judge(claim).log_e(counts);
}

Boundaries boundaries(const RateClaim& claim, std::uint64_t n) {
  validate(claim);
  if (n == 0) return {1, 0, -1, 1};
  const Judge judge(claim);
  const auto above = [&](const Counts& c) { return judge.above(c); };
  const auto below = [&](const Counts& c) { return judge.below(c); };
  const auto high = [&](const Counts& c) { return judge.too_high(c); };
  const auto low = [&](const Counts& c) { return judge.too_low(c); };
  return {first_true(n, above), last_true(n, below), last_true(n, low),
          first_true(n, high)};
}

}  // namespace dropcheck::stats
