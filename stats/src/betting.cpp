#include "dropcheck/stats/betting.hpp"

#include <array>
#include <cmath>
#include <limits>
#include <numbers>

#include "endpoint.hpp"
#include "log_capital.hpp"
#include "require.hpp"
#include "special.hpp"

namespace dropcheck::stats {
namespace {

constexpr std::size_t kBets = 16;
constexpr double kLargestBet = 15.0 / 16;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// ln of the mean capital of all bets on values against mean m, where a bet of
// 1 risks everything on `room`, negative for a bet on a mean below m.
double log_mixture(const std::map<double, std::uint64_t>& values, double m,
                   double room) {
  const LogCapital capital(values, m);
  std::array<double, kBets> logs{};
  double bet = kLargestBet / room;
  for (double& log_capital : logs) {
    log_capital = capital.of(bet);
    bet /= 2;
  }
  return log_mean_exp(logs);
}

}  // namespace

double log_betting_capital(std::span<const double> values, double m,
                           double lambda) {
  require_finite(m, "m");
  require_finite(lambda, "lambda");
  double sum = 0;
  for (const double y : values) {
    const double gain = lambda * (y - m);
    require(gain >= -1, "lambda * (y - m)", gain, "at least -1");
    sum += std::log1p(gain);
  }
  return sum;
}

BettingMean::BettingMean(Interval range) : range_(range) {
  require(range.lower < range.upper, "range.lower", range.lower,
          "below range.upper");
  require(std::isfinite(range.upper - range.lower), "width of the range",
          range.upper - range.lower, "finite");
}

void BettingMean::add(double y) {
  require(y >= range_.lower && y <= range_.upper, "y", y, "in the range");
  ++values_[y];
  ++n_;
}

double BettingMean::log_capital_above(double m) const {
  if (n_ == 0) return 0;
  if (m > range_.lower) return log_mixture(values_, m, m - range_.lower);
  return values_.rbegin()->first > range_.lower ? kInfinity : 0;
}

double BettingMean::log_capital_below(double m) const {
  if (n_ == 0) return 0;
  if (m < range_.upper) return log_mixture(values_, m, m - range_.upper);
  return values_.begin()->first < range_.upper ? kInfinity : 0;
}

double BettingMean::log_e_value(Interval null_mean) const {
  const auto [lower, upper] = null_mean;
  require(lower >= range_.lower && lower <= upper, "null_mean.lower", lower,
          "in the range and at most null_mean.upper");
  require(upper <= range_.upper, "null_mean.upper", upper, "in the range");
  return log_add(log_capital_above(upper), log_capital_below(lower)) -
         std::numbers::ln2;
}

Interval BettingMean::confidence_sequence(double log_inverse_alpha) const {
  require_positive(log_inverse_alpha, "log_inverse_alpha");
  const double level = log_inverse_alpha + std::numbers::ln2;
  const auto too_low = [&](double m) { return log_capital_above(m) >= level; };
  const auto too_high = [&](double m) { return log_capital_below(m) >= level; };
  return {outer_endpoint(range_.lower, range_.upper, too_low),
          outer_endpoint(range_.upper, range_.lower, too_high)};
}

}  // namespace dropcheck::stats
