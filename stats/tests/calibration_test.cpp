// The oracle on trial: every e-value of the library has mean at most 1 under
// its null, by enumeration of all masks of a few units. Not only at a fixed n
// but at every look, and at stopping times that end the run when it is ahead.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "e_values.hpp"

namespace dropcheck::stats {
namespace {

// Values at the looks, indexed by look and by the mask of the units so far.
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

  // The mean where a run ends at the first value of at least `target`, at the
  // last look otherwise. An infinite target means the last look.
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

void expect_mean(double mean, const EValueCase& e, double rate) {
  EXPECT_LE(mean, 1 + 1e-11) << e.name << " at " << rate;
  EXPECT_GT(mean, 0) << e.name << " at " << rate;
  if (e.exact) {
    EXPECT_NEAR(mean, 1, 1e-11) << e.name << " at " << rate;
  }
}

TEST(EveryEValue, HasMeanAtMostOneAtEveryLook) {
  for (const EValueCase& e : every_e_value()) {
    const Enumeration values(e);
    for (const double rate : e.rates)
      for (std::size_t look = 0; look < values.looks(); ++look)
        expect_mean(values.mean_at(look, rate), e, rate);
  }
}

TEST(EveryEValue, HasMeanAtMostOneWhereARunStopsWhenItIsAhead) {
  for (const EValueCase& e : every_e_value()) {
    const Enumeration values(e);
    for (const double rate : e.rates)
      for (const double target : {1.0 + 1e-9, 2.0, 10.0})
        expect_mean(values.mean(rate, target), e, rate);
  }
}

// The enumeration can fail: a running maximum is no e-value, nor is a product
// of two that read the same data.
TEST(EveryEValue, IsToldFromWhatIsNone) {
  const EValueCase martingale = every_e_value().front();
  const double rate = martingale.rates.front();
  const EValueCase maximum{"running maximum",
                           [&](std::uint32_t mask, int n) {
                             double largest = 0;
                             for (int k = 1; k <= n; ++k)
                               largest =
                                   std::max(largest, martingale.log_e(mask, k));
                             return largest;
                           },
                           {rate}};
  EXPECT_GT(Enumeration(maximum).mean(rate, INFINITY), 1.1);
  const EValueCase square{
      "product with itself",
      [&](std::uint32_t mask, int n) { return 2 * martingale.log_e(mask, n); },
      {rate}};
  EXPECT_GT(Enumeration(square).mean(rate, INFINITY), 1.1);
}

}  // namespace
}  // namespace dropcheck::stats
