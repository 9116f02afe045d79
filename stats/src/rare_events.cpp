#include "dropcheck/stats/rare_events.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "dropcheck/stats/run_alarm.hpp"
#include "require.hpp"
#include "special.hpp"

namespace dropcheck::stats {
namespace {

constexpr int kRarest = 60;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

void require_allowed(double allowed) {
  require(allowed >= 0 && allowed < 0.5, "allowed", allowed, "in [0, 0.5)");
}

// ln of the likelihood at p over that at the allowed probability.
double log_gain(const Counts& events, double p, double allowed) {
  const double seen = as_double(events.drops);
  const double unseen = as_double(events.n - events.drops);
  const double gain = seen == 0 ? 0 : seen * std::log(p / allowed);
  return gain + unseen * std::log1p((allowed - p) / (1 - allowed));
}

}  // namespace

void validate(const RareClaim& claim) {
  require_allowed(claim.allowed);
  require(claim.bound > claim.allowed && claim.bound < 1, "bound", claim.bound,
          "above allowed and below 1");
  refutation_threshold(claim.alpha, claim.weight);
}

double rare_upper_bound(std::uint64_t n, double log_inverse_alpha) {
  require_positive(log_inverse_alpha, "log_inverse_alpha");
  return n == 0 ? 1 : -std::expm1(-log_inverse_alpha / as_double(n));
}

std::uint64_t trials_to_bound(double bound, double log_inverse_alpha) {
  require_inner_probability(bound, "bound");
  require_positive(log_inverse_alpha, "log_inverse_alpha");
  const double trials = std::ceil(log_inverse_alpha / -std::log1p(-bound));
  require(trials < 0x1p63, "number of trials", trials, "below 2^63");
  return static_cast<std::uint64_t>(trials);
}

double log_rare_e_value(const Counts& events, double allowed) {
  require_counts(events);
  require_allowed(allowed);
  if (allowed == 0 && events.drops > 0) return kInfinity;
  std::vector<double> logs;
  for (int j = 1; j <= kRarest; ++j) {
    const double p = std::ldexp(1.0, -j);
    if (p > allowed) logs.push_back(log_gain(events, p, allowed));
  }
  return log_mean_exp(logs);
}

RateOutcome decide(const RareClaim& claim, const Counts& events) {
  validate(claim);
  if (claim_refuted(log_rare_e_value(events, claim.allowed), claim.weight,
                    claim.alpha))
    return RateOutcome::kRefuted;
  const std::uint64_t needed =
      trials_to_bound(claim.bound, refutation_threshold(claim.alpha, 1));
  return events.drops == 0 && events.n >= needed ? RateOutcome::kCertified
                                                 : RateOutcome::kUndecided;
}

}  // namespace dropcheck::stats
