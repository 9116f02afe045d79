#include "dropcheck/stats/calibration.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "require.hpp"

namespace dropcheck::stats {
namespace {

/// Values at the looks, indexed by look and by the mask of the units so far.
class Enumeration {
 public:
  explicit Enumeration(const EValueCase& e) : step_(e.step) {
    for (int n = e.step; n <= e.units; n += e.step) {
      std::vector<double> values;
      for (std::uint32_t mask = 0; mask < (1U << n); ++mask)
        values.push_back(std::exp(e.log_e(mask, n)));
      values_.push_back(std::move(values));
    }
  }

  /// The mean where a run ends at the first value of at least `target`, at the
  /// last look otherwise.
  double mean(double rate, double target) const {
    return mean_from(0, 0, rate, target);
  }

  double mean_at(std::size_t look, double rate) const {
    double sum = 0;
    for (std::uint32_t mask = 0; mask < values_[look].size(); ++mask)
      sum += probability(mask, units_at(look), rate) * values_[look][mask];
    return sum;
  }

  std::size_t looks() const { return values_.size(); }

 private:
  int units_at(std::size_t look) const {
    return (static_cast<int>(look) + 1) * step_;
  }

  static double probability(std::uint32_t mask, int units, double rate) {
    const int drops = std::popcount(mask);
    return std::pow(rate, drops) * std::pow(1 - rate, units - drops);
  }

  double mean_from(std::size_t look, std::uint32_t before, double rate,
                   double target) const {
    double sum = 0;
    const int begin = units_at(look) - step_;
    for (std::uint32_t next = 0; next < (1U << step_); ++next) {
      const std::uint32_t mask = before | (next << begin);
      const double value = values_[look][mask];
      const bool ends = value >= target || look + 1 == looks();
      sum += probability(next, step_, rate) *
             (ends ? value : mean_from(look + 1, mask, rate, target));
    }
    return sum;
  }

  int step_;
  std::vector<std::vector<double>> values_;
};

void require_small(const EValueCase& e) {
  constexpr int kMostUnits = 20;
  require(e.units >= 1 && e.units <= kMostUnits, "units", e.units,
          "from 1 to 20");
  require(e.step >= 1 && e.step <= e.units, "step", e.step,
          "from 1 to the number of units");
  require_shape(!e.rates.empty(), "number of rates", 0, "at least 1");
  for (const double rate : e.rates) require_probability(rate, "rate");
}

}  // namespace

Calibration calibrate(const EValueCase& e_value) {
  require_small(e_value);
  const Enumeration values(e_value);
  Calibration result{std::numeric_limits<double>::infinity(), 0, true};
  const auto take = [&](double mean) {
    result.smallest_mean = std::min(result.smallest_mean, mean);
    result.largest_mean = std::max(result.largest_mean, mean);
    // Written so that NaN is wrong.
    const bool fair = mean > 0 && mean <= 1 + kCalibrationError;
    const bool exact = !e_value.exact || mean >= 1 - kCalibrationError;
    result.right = result.right && fair && exact;
  };
  for (const double rate : e_value.rates) {
    for (std::size_t look = 0; look < values.looks(); ++look)
      take(values.mean_at(look, rate));
    for (const double target : {1.0 + 1e-9, 2.0, 10.0})
      take(values.mean(rate, target));
  }
  return result;
}

}  // namespace dropcheck::stats
