#include "dropcheck/stats/robust_rate.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "dropcheck/stats/run_alarm.hpp"
#include "endpoint.hpp"
#include "log_capital.hpp"
#include "require.hpp"
#include "special.hpp"

namespace dropcheck::stats {
namespace {

constexpr double kLargestShare = 15.0 / 16;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

double best_bet(const RateClaim& claim, double independent) {
  return claim.delta * independent / (claim.p0 * (1 - claim.p0));
}

// No bet against a mean within the tolerance may be larger than this.
double largest_bet(const RateClaim& claim) {
  return kLargestShare / std::min(claim.p0, 1 - claim.p0);
}

void validate_units(double units) {
  require(units >= 1, "units_per_call", units, "at least 1");
  require_positive(units, "units_per_call");
}

// How long a bet takes to win a log capital against a mean delta away, where
// one call cannot lose more than `room`.
struct Duration {
  double calls;
  double deviation;
};
struct Bout {
  double independent;
  double room;
  double need;
};
Duration duration(const RateClaim& claim, const Bout& bout) {
  const double variance = claim.p0 * (1 - claim.p0) / bout.independent;
  const double bet =
      std::min(best_bet(claim, bout.independent), kLargestShare / bout.room);
  const double square = variance + claim.delta * claim.delta;
  const double growth = bet * claim.delta - bet * bet * square / 2;
  const double calls = bout.need / growth;
  return {calls, bet * std::sqrt(variance * calls) / growth};
}

// The mean of the later of two normal times whose noise is opposite.
double expected_later(const Duration& one, const Duration& other) {
  const double spread = one.deviation + other.deviation;
  const double lead = (one.calls - other.calls) / spread;
  const double later = std::erfc(-lead / std::numbers::sqrt2) / 2;
  const double earlier = std::erfc(lead / std::numbers::sqrt2) / 2;
  const double density = std::exp(-lead * lead / 2) * std::numbers::inv_sqrtpi /
                         std::numbers::sqrt2;
  return one.calls * later + other.calls * earlier + spread * density;
}

}  // namespace

RobustRate::RobustRate(const RateClaim& claim, double units_per_call)
    : claim_(claim), units_per_call_(units_per_call) {
  validate(claim);
  validate_units(units_per_call);
  const double best = best_bet(claim, units_per_call);
  const double largest = largest_bet(claim);
  std::vector<double> others;
  for (double bet = best / 2; bet * 2 > best / units_per_call; bet /= 2)
    others.push_back(bet);
  for (double bet = best * 2; bet < 2 * largest; bet *= 2)
    others.push_back(bet);
  const double each =
      0.5 / static_cast<double>(std::max<std::size_t>(1, others.size()));
  bets_.push_back({best, std::log(others.empty() ? 1 : 0.5)});
  for (const double bet : others) bets_.push_back({bet, std::log(each)});
}

void RobustRate::add(const Counts& call, std::uint64_t times) {
  require_counts(call);
  require(call.n > 0, "n", as_double(call.n), "positive");
  if (times == 0) return;
  fractions_[as_double(call.drops) / as_double(call.n)] += times;
  calls_ += times;
}

void RobustRate::merge(const RobustRate& other) {
  require(other.claim_.p0 == claim_.p0, "p0", other.claim_.p0,
          "that of the other calls");
  require(other.claim_.delta == claim_.delta, "delta", other.claim_.delta,
          "that of the other calls");
  require(other.units_per_call_ == units_per_call_, "units_per_call",
          other.units_per_call_, "that of the other calls");
  for (const auto& [fraction, times] : other.fractions_)
    fractions_[fraction] += times;
  calls_ += other.calls_;
}

double RobustRate::log_capital(Side side, double m) const {
  if (calls_ == 0) return 0;
  const double sign = side == Side::kAbove ? 1 : -1;
  const double room = side == Side::kAbove ? m : 1 - m;
  if (room <= 0) {
    const double highest = fractions_.rbegin()->first;
    const double furthest =
        side == Side::kAbove ? highest : 1 - fractions_.begin()->first;
    return furthest > 0 ? kInfinity : 0;
  }
  const LogCapital capital(fractions_, m);
  std::vector<double> logs;
  logs.reserve(bets_.size());
  for (const Bet& bet : bets_) {
    const double size = sign * std::min(bet.size, kLargestShare / room);
    logs.push_back(bet.log_weight + capital.of(size));
  }
  return log_mean_exp(logs) + std::log(static_cast<double>(logs.size()));
}

double RobustRate::log_e_value() const {
  return log_add(log_capital(Side::kAbove, claim_.declared.upper),
                 log_capital(Side::kBelow, claim_.declared.lower)) -
         std::numbers::ln2;
}

RateOutcome RobustRate::decide() const {
  if (claim_refuted(log_e_value(), claim_.weight, claim_.alpha))
    return RateOutcome::kRefuted;
  const double threshold = refutation_threshold(claim_.alpha, 1);
  const bool certified =
      log_capital(Side::kAbove, claim_.p0 - claim_.delta) >= threshold &&
      log_capital(Side::kBelow, claim_.p0 + claim_.delta) >= threshold;
  return certified ? RateOutcome::kCertified : RateOutcome::kUndecided;
}

Interval RobustRate::confidence_sequence(double log_inverse_alpha) const {
  require_positive(log_inverse_alpha, "log_inverse_alpha");
  const double level = log_inverse_alpha + std::numbers::ln2;
  const auto too_low = [&](double m) {
    return log_capital(Side::kAbove, m) >= level;
  };
  const auto too_high = [&](double m) {
    return log_capital(Side::kBelow, m) >= level;
  };
  return {outer_endpoint(0, 1, too_low), outer_endpoint(1, 0, too_high)};
}

double robust_certification_calls(const RateClaim& claim, double independent) {
  validate(claim);
  validate_units(independent);
  const double need = refutation_threshold(claim.alpha, 1) + std::numbers::ln2;
  return expected_later(
      duration(claim, {independent, claim.p0 - claim.delta, need}),
      duration(claim, {independent, 1 - claim.p0 - claim.delta, need}));
}

double robust_detection_calls(const RateClaim& claim, double independent) {
  validate(claim);
  validate_units(independent);
  const double need =
      refutation_threshold(claim.alpha, claim.weight) + 2 * std::numbers::ln2;
  const double room = std::max(claim.p0, 1 - claim.p0);
  return duration(claim, {independent, room, need}).calls;
}

}  // namespace dropcheck::stats
