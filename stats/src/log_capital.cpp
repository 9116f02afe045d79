#include "log_capital.hpp"

#include <algorithm>
#include <cmath>

#include "special.hpp"

namespace dropcheck::stats {
namespace {

// Nine powers of this are below the last bit.
constexpr double kSmall = 0.02;

}  // namespace

LogCapital::LogCapital(const std::map<double, std::uint64_t>& values, double m)
    : values_(values), m_(m) {
  for (const auto& [y, times] : values_) {
    const double difference = y - m_;
    furthest_ = std::max(furthest_, std::abs(difference));
    double power = as_double(times);
    for (double& sum : power_sums_) sum += power *= difference;
  }
}

double LogCapital::of(double bet) const {
  double sum = 0;
  if (std::abs(bet) * furthest_ > kSmall) {
    for (const auto& [y, times] : values_)
      sum += as_double(times) * std::log1p(bet * (y - m_));
    return sum;
  }
  for (std::size_t k = kTerms; k > 0; --k) {
    const double term = power_sums_[k - 1] / static_cast<double>(k);
    sum = bet * ((k % 2 == 1 ? term : -term) + sum);
  }
  return sum;
}

}  // namespace dropcheck::stats
