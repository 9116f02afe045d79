#pragma once

#include <array>
#include <cstdint>
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

  /// The cell of a factor.
  std::size_t cell(double factor) const;
  /// Rounding of a factor, in standard deviations.
  double rounding(double factor) const;

  /// P(factor as returned <= edge j), j = 0..kCells - 2: what rounding leaves.
  const std::vector<stats::Interval>& cumulative() const { return cumulative_; }
  /// What that leaves of each cell's probability.
  std::vector<stats::Interval> band() const;

 private:
  double deviation_;
  impl::DType dtype_;
  std::vector<double> edges_;
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
  void merge(const FactorTally& other);
  /// What the sums may have been before rounding.
  stats::Interval possible_sum() const;
  stats::Interval possible_squares() const;
};

}  // namespace dropcheck::properties
