// Factors of gaussian dropout: the rounding that the check allows for covers
// what layers do in low precision, and the bit that stands for a drop is read
// as it is defined.
#include "factor_cells.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "dropcheck/impl/law.hpp"
#include "dropcheck/stats/normal_law.hpp"
#include "mask_kernels.hpp"
#include "oracle_input.hpp"

namespace dropcheck::properties {
namespace {

constexpr std::array kDTypes{impl::DType::kFloat64, impl::DType::kFloat32,
                             impl::DType::kFloat16, impl::DType::kBFloat16};

impl::LayerConfig config_of(impl::DType dtype, double drop = .3) {
  return {
      .layer = "gaussian_dropout", .drop_probability = drop, .dtype = dtype};
}

// A layer that works in its dtype throughout: normal numbers, their product
// with the deviation, the factor and the result are rounded one by one.
TEST(FactorRounding, CoversALayerThatRoundsEveryStep) {
  for (const impl::DType dtype : kDTypes) {
    const impl::LayerConfig config = config_of(dtype);
    const auto round = [&](double value) {
      return impl::rounded(value, dtype);
    };
    const double deviation = impl::noise_deviation(config);
    const impl::Tensor normal = make_normal(impl::DType::kFloat64, {20000}, 5);
    const impl::Tensor input =
        make_input(*impl::find_law("dropout"), config, {20000}, 6);
    for (std::int64_t i = 0; i < normal.size(); ++i) {
      const double g = normal.view().value(i);
      const double x = input.view().value(i);
      const double factor = round(1 + round(round(deviation) * round(g)));
      const double seen = round(x * factor) / x;
      const double z = 1 + deviation * g;
      ASSERT_LE(std::abs(seen - z), 1.05 * impl::factor_rounding(dtype, seen))
          << impl::name_of(dtype) << " " << z;
    }
  }
}

TEST(FactorCells, HoldOneSixtyFourthEachUpToRounding) {
  for (const impl::DType dtype : kDTypes) {
    const FactorCells cells(config_of(dtype));
    for (const stats::Interval& band : cells.band()) {
      EXPECT_LE(band.lower, 1. / 64);
      EXPECT_GE(band.upper, 1. / 64);
    }
    EXPECT_EQ(cells.cell(-1e300), 0U);
    EXPECT_EQ(cells.cell(1e300), 63U);
    EXPECT_EQ(cells.cell(1 + .01 * cells.deviation()), 32U);
    EXPECT_EQ(cells.cell(1 - .01 * cells.deviation()), 31U);
  }
  const FactorCells fine(config_of(impl::DType::kFloat32));
  for (const stats::Interval& band : fine.band()) {
    EXPECT_LT(band.upper - band.lower, 1e-5);
  }
}

// At the edges and beside them, far out, and between.
TEST(FactorCells, CountTheEdgesBelow) {
  for (const double drop : {1e-6, .1, .5, .99}) {
    const impl::LayerConfig config = config_of(impl::DType::kFloat32, drop);
    const FactorCells cells(config);
    const double deviation = impl::noise_deviation(config);
    std::vector<double> edges;
    for (int j = 1; j < 64; ++j) {
      edges.push_back(1 + deviation * stats::normal_quantile(j / 64.));
    }
    std::vector<double> factors = edges;
    for (const double edge : edges) {
      factors.push_back(std::nextafter(edge, 1e9));
      factors.push_back(std::nextafter(edge, -1e9));
    }
    for (int i = -400; i <= 400; ++i) {
      factors.push_back(1 + deviation * i / 150);
    }
    for (const double far : {1e3, 1e200}) {
      factors.insert(factors.end(), {far, -far});
    }
    for (const double factor : factors) {
      const auto below = std::count_if(edges.begin(), edges.end(),
                                       [&](double e) { return e < factor; });
      ASSERT_EQ(cells.cell(factor), static_cast<std::size_t>(below)) << factor;
      ASSERT_EQ(cells.rounding(factor),
                impl::factor_rounding(config.dtype, factor) / deviation);
    }
  }
}

TEST(FactorTally, MergesExactlyAndKeepsTheSumsInside) {
  const FactorCells cells(config_of(impl::DType::kBFloat16));
  const impl::Tensor normal = make_normal(impl::DType::kFloat64, {999}, 5);
  FactorTally all;
  FactorTally first;
  FactorTally second;
  double sum = 0;
  double squares = 0;
  for (std::int64_t i = 0; i < normal.size(); ++i) {
    const double g = normal.view().value(i);
    sum += g;
    squares += g * g;
    const double factor =
        impl::rounded(1 + cells.deviation() * g, impl::DType::kBFloat16);
    all.add(cells, factor);
    (i % 3 == 0 ? first : second).add(cells, factor);
  }
  second.merge(first);
  EXPECT_EQ(second.cells, all.cells);
  EXPECT_EQ(second.sum, all.sum);
  EXPECT_EQ(second.squares_rounding, all.squares_rounding);
  EXPECT_EQ(std::accumulate(all.cells.begin(), all.cells.end(), 0U), 999U);
  EXPECT_LE(all.possible_sum().lower, sum);
  EXPECT_GE(all.possible_sum().upper, sum);
  EXPECT_LE(all.possible_squares().lower, squares);
  EXPECT_GE(all.possible_squares().upper, squares);
  all.add(cells, std::nan(""));
  EXPECT_EQ(all.no_number, 1U);
}

TEST(SmallerBits, SayWhereAFactorIsBelowOne) {
  for (const impl::DType dtype : kDTypes) {
    for (const std::int64_t count : {1, 63, 64, 65, 200}) {
      const impl::Tensor base =
          make_input(*impl::find_law("dropout"), config_of(dtype), {count}, 1);
      const impl::Tensor other = make_normal(dtype, {count}, 2);
      impl::Tensor values(dtype, {count});
      for (std::int64_t i = 0; i < count; ++i) {
        const double x = base.view().value(i);
        values.view().set(i, i % 5 == 0 ? x : x * (1 + other.view().value(i)));
      }
      std::vector<std::uint64_t> words(
          static_cast<std::size_t>((count + 63) / 64));
      EXPECT_EQ(
          read_smaller_bits(dtype, base.bytes(), values.bytes(),
                            static_cast<std::size_t>(count), words.data()),
          static_cast<std::size_t>(count));
      for (std::int64_t i = 0; i < count; ++i) {
        const bool below = values.view().value(i) / base.view().value(i) < 1;
        const bool bit =
            ((words[static_cast<std::size_t>(i / 64)] >> (i % 64)) & 1U) != 0;
        EXPECT_EQ(bit, below) << impl::name_of(dtype) << " " << i;
      }
    }
  }
}

TEST(SmallerBits, ReportTheFirstNaN) {
  for (const impl::DType dtype : kDTypes) {
    const impl::Tensor base(dtype, {70}, std::vector<double>(70, 1));
    impl::Tensor values = base;
    values.view().set(66, std::numeric_limits<double>::quiet_NaN());
    values.view().set(3, std::numeric_limits<double>::infinity());
    std::vector<std::uint64_t> words(2);
    EXPECT_EQ(read_smaller_bits(dtype, base.bytes(), values.bytes(), 70,
                                words.data()),
              66U);
    EXPECT_EQ(words[0], 0U);
    EXPECT_EQ(words[1], 0U);
  }
}

}  // namespace
}  // namespace dropcheck::properties
