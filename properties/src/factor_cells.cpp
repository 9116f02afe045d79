#include "factor_cells.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "dropcheck/impl/law.hpp"
#include "dropcheck/stats/normal_law.hpp"

namespace dropcheck::properties {
namespace {

constexpr double kOne = std::int64_t{1} << FactorTally::kFractionBits;

/// Rounded to the nearest: the sum with 1.5 * 2^52 holds the integer at its
/// end. Of magnitudes below 2^51 only; what is added here is below 2^30.
std::int64_t fixed(double value) {
  constexpr double kEnd = 0x1.8p52;
  return std::bit_cast<std::int64_t>(value * kOne + kEnd) -
         std::bit_cast<std::int64_t>(kEnd);
}

double as_double(std::int64_t units) {
  return static_cast<double>(units) / kOne;
}

}  // namespace

FactorCells::FactorCells(const impl::LayerConfig& config)
    : deviation_(impl::noise_deviation(config)),
      dtype_(config.dtype),
      // It has a part of each, and at 0 and 1 one of them only.
      rounding_(impl::factor_rounding(config.dtype, 1)),
      own_rounding_(impl::factor_rounding(config.dtype, 0)) {
  for (std::size_t j = 1; j < kCells; ++j) {
    const double z = stats::normal_quantile(static_cast<double>(j) / kCells);
    const double edge = 1 + deviation_ * z;
    const std::size_t place = step_of(standardised(edge));
    steps_[place].edge = edge;
    for (std::size_t i = place + 1; i < steps_.size(); ++i) ++steps_[i].below;
    // A factor that came out at the edge may lie this far on either side.
    const double off = 1.05 * rounding(edge);
    cumulative_.push_back({stats::normal_probability(z - off),
                           stats::normal_probability(z + off)});
  }
}

std::vector<stats::Interval> FactorCells::band() const {
  std::vector<stats::Interval> band;
  stats::Interval before{0, 0};
  for (std::size_t j = 0; j < kCells; ++j) {
    const stats::Interval after =
        j + 1 < kCells ? cumulative_[j] : stats::Interval{1, 1};
    band.push_back({std::max(0.0, after.lower - before.upper),
                    std::min(1.0, after.upper - before.lower)});
    before = after;
  }
  return band;
}

void FactorTally::add(const FactorCells& law, double factor) {
  ++n;
  if (!std::isfinite(factor)) {
    ++no_number;
    return;
  }
  const double distance = law.standardised(factor);
  ++cells[law.cell(factor, distance)];
  const double t = std::clamp(distance, -kClip, kClip);
  // Of the factor, and of the fixed-point number itself.
  const double off = std::min(1.05 * law.rounding(factor), 1.0) + 0.5 / kOne;
  sum += fixed(t);
  squares += fixed(t * t);
  sum_rounding += fixed(off) + 1;
  squares_rounding += fixed(off * (2 * std::abs(t) + off)) + 1;
}

void FactorTally::add_all(const FactorCells& law,
                          std::span<const double> results,
                          const double* inputs) {
  for (std::size_t i = 0; i < results.size(); ++i) {
    add(law, results[i] / inputs[i]);
  }
}

void FactorTally::merge(const FactorTally& other) {
  for (std::size_t j = 0; j < cells.size(); ++j) cells[j] += other.cells[j];
  n += other.n;
  no_number += other.no_number;
  sum += other.sum;
  squares += other.squares;
  sum_rounding += other.sum_rounding;
  squares_rounding += other.squares_rounding;
}

stats::Interval FactorTally::possible_sum() const {
  return {as_double(sum - sum_rounding), as_double(sum + sum_rounding)};
}

stats::Interval FactorTally::possible_squares() const {
  return {std::max(1e-9, as_double(squares - squares_rounding)),
          as_double(squares + squares_rounding)};
}

}  // namespace dropcheck::properties
