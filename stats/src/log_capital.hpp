#pragma once

#include <array>
#include <cstdint>
#include <map>

namespace dropcheck::stats {

/// ln of the capital that constant bets make of the same values.
///
/// Formula sum_y times(y) ln(1 + bet (y - m)). Small bets by the series of the
///         logarithm in power sums, which are taken once; the rest term by
///         term.
/// Values  1 + bet (y - m) must be positive for every y.
/// Errors  1e-16 a value.
class LogCapital {
 public:
  /// `values` holds how often each occurred, and must outlive this.
  LogCapital(const std::map<double, std::uint64_t>& values, double m);

  double of(double bet) const;

 private:
  static constexpr std::size_t kTerms = 8;

  const std::map<double, std::uint64_t>& values_;
  double m_;
  double furthest_ = 0;
  std::array<double, kTerms> power_sums_{};
};

}  // namespace dropcheck::stats
