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
    : deviation_(impl::noise_deviation(config)), dtype_(config.dtype) {
  for (std::size_t j = 1; j < kCells; ++j) {
    const double z = stats::normal_quantile(static_cast<double>(j) / kCells);
    edges_.push_back(1 + deviation_ * z);
    // A factor that came out at the edge may lie this far on either side.
    const double off = 1.05 * rounding(edges_.back());
    cumulative_.push_back({stats::normal_probability(z - off),
                           stats::normal_probability(z + off)});
  }
}

// Without branches, which no processor could guess: edges_ has 2^6 - 1 entries.
std::size_t FactorCells::cell(double factor) const {
  std::size_t below = 0;
  for (std::size_t step = kCells / 2; step > 0; step /= 2) {
    below += edges_[below + step - 1] < factor ? step : 0;
  }
  return below;
}

double FactorCells::rounding(double factor) const {
  return impl::factor_rounding(dtype_, factor) / deviation_;
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
  ++cells[law.cell(factor)];
  const double t = std::clamp((factor - 1) / law.deviation(), -kClip, kClip);
  // Of the factor, and of the fixed-point number itself.
  const double off = std::min(1.05 * law.rounding(factor), 1.0) + 0.5 / kOne;
  sum += fixed(t);
  squares += fixed(t * t);
  sum_rounding += fixed(off) + 1;
  squares_rounding += fixed(off * (2 * std::abs(t) + off)) + 1;
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
