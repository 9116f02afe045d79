// Rows of n units with their numbers of drops. The mean of the e-value over all
// outcomes is computed exactly; it may not pass 1 at any rate, because the null
// is "one rate, whatever it is".
#include "row_counts.hpp"

#include <gtest/gtest.h>

#include <array>
#include <boost/math/distributions/binomial.hpp>
#include <cmath>
#include <vector>

namespace dropcheck::properties {
namespace {

double exact_mean(std::uint64_t row_bits, double p0, double p) {
  const boost::math::binomial_distribution<double> law(
      static_cast<double>(row_bits), p);
  double mean = 0;
  for (std::uint32_t a = 0; a <= row_bits; ++a) {
    for (std::uint32_t b = 0; b <= row_bits; ++b) {
      for (std::uint32_t c = 0; c <= row_bits; ++c) {
        const std::array<std::uint32_t, 3> drops{a, b, c};
        const double chance = boost::math::pdf(law, a) *
                              boost::math::pdf(law, b) *
                              boost::math::pdf(law, c);
        mean += chance * std::exp(log_row_count_e_value(drops, row_bits, p0));
      }
    }
  }
  return mean;
}

TEST(RowCounts, HasMeanAtMostOneAtEveryRate) {
  for (const double p : {0.02, 0.1, 0.25, 0.3, 0.5, 0.9}) {
    EXPECT_LE(exact_mean(14, 0.3, p), 1 + 1e-9) << "rate " << p;
  }
}

TEST(RowCounts, RefutesAFixedCountPerRow) {
  // 40 rows of 4,087 units, each with exactly 10 % dropped.
  const std::vector<std::uint32_t> drops(40, 409);
  EXPECT_GT(log_row_count_e_value(drops, 4087, 0.1), 40);
}

TEST(RowCounts, RefutesARateOfItsOwnPerRow) {
  std::vector<std::uint32_t> drops;
  for (int row = 0; row < 40; ++row) drops.push_back(row % 2 == 0 ? 300 : 520);
  EXPECT_GT(log_row_count_e_value(drops, 4087, 0.1), 40);
}

TEST(RowCounts, DoesNotMindAnotherCommonRate) {
  std::vector<std::uint32_t> drops;
  for (int row = 0; row < 40; ++row) {
    drops.push_back(static_cast<std::uint32_t>(2043 + 9 * (row % 9 - 4)));
  }
  EXPECT_LT(log_row_count_e_value(drops, 4087, 0.1), 5);
}

TEST(RowCounts, SaysNothingOfOneRow) {
  const std::vector<std::uint32_t> drops{409};
  EXPECT_EQ(log_row_count_e_value(drops, 4087, 0.1), 0);
}

}  // namespace
}  // namespace dropcheck::properties
