#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "dropcheck/impl/config.hpp"
#include "dropcheck/impl/tensor.hpp"
#include "dropcheck/stats/counts.hpp"

namespace dropcheck::properties {

/// The law N(1, drop / keep) of a factor, cut into cells of equal probability,
/// and how far rounding to a dtype may carry a factor across their edges.
class FactorCells {
 public:
  static constexpr std::size_t kCells = 64;

  explicit FactorCells(const impl::LayerConfig& config);

  double deviation() const { return deviation_; }
  impl::DType dtype() const { return dtype_; }

  /// The factor's distance from 1, in standard deviations.
  double standardised(double factor) const { return (factor - 1) / deviation_; }

  /// The cell of a factor, NaN apart.
  std::size_t cell(double factor) const {
    return cell(factor, standardised(factor));
  }
  /// The same, where that distance is known.
  std::size_t cell(double factor, double t) const {
    const Step& step = steps_[step_of(t)];
    return step.below + (step.edge < factor ? 1U : 0U);
  }

  /// Rounding of a factor, in standard deviations.
  double rounding(double factor) const {
    return (rounding_ * std::abs(factor) +
            own_rounding_ * std::abs(factor - 1)) /
           deviation_;
  }

  /// P(factor as returned <= edge j), j = 0..kCells - 2: what rounding leaves.
  const std::vector<stats::Interval>& cumulative() const { return cumulative_; }
  /// What that leaves of each cell's probability.
  std::vector<stats::Interval> band() const;

 private:
  /// A short range of distances, in which one edge lies at most.
  struct Step {
    double edge = std::numeric_limits<double>::infinity();
    std::uint8_t below = 0;  ///< edges below the range
  };
  static constexpr int kSteps = 256;
  static constexpr double kStepsInOne = 48;

  /// Grows with the distance, so that a factor in a later step than an edge is
  /// larger than the edge, whatever is rounded.
  static std::size_t step_of(double t) {
    const double place = kSteps / 2 + kStepsInOne * t;
    return static_cast<std::size_t>(std::clamp(place, 0.0, kSteps - 1.0));
  }

  double deviation_;
  impl::DType dtype_;
  double rounding_;      ///< for each unit of the factor
  double own_rounding_;  ///< and of its distance from 1
  std::array<Step, kSteps> steps_{};
  std::vector<stats::Interval> cumulative_;
};

/// What is counted of factors y / x: integers, so that merging is exact.
struct FactorTally {
  std::array<std::uint64_t, FactorCells::kCells> cells{};
  std::uint64_t n = 0;
  std::uint64_t no_number = 0;  ///< NaN or infinite
  /// Sums in units of 2^-kFractionBits, of t = (factor - 1) / deviation clipped
  /// at +-kClip, of t^2, and of what rounding may have added to either.
  std::int64_t sum = 0;
  std::int64_t squares = 0;
  std::int64_t sum_rounding = 0;
  std::int64_t squares_rounding = 0;

  static constexpr int kFractionBits = 16;
  static constexpr double kClip = 32;

  void add(const FactorCells& law, double factor);
  /// Adds the factors results / inputs.
  void add_all(const FactorCells& law, std::span<const double> results,
               const double* inputs);
  void merge(const FactorTally& other);
  /// What the sums may have been before rounding.
  stats::Interval possible_sum() const;
  stats::Interval possible_squares() const;
};

}  // namespace dropcheck::properties
