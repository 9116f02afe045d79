// Counts by Fourier transforms are exact: equal to counting one by one, at
// every lag and shift. Nothing is left to chance.
#include "block_correlation.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <complex>
#include <numbers>
#include <random>
#include <stdexcept>

#include "impl/tests/vector_sets.hpp"
#include "mask_kernels.hpp"
#include "random_bits.hpp"
#include "spectrum_kernels.hpp"

namespace dropcheck::properties {
namespace {

using impl::testing::on_all_vector_sets;
using testing::bit_at;
using testing::random_bits;

stats::ShiftCounts counted(const std::vector<std::uint64_t>& earlier,
                           const std::vector<std::uint64_t>& later,
                           std::int64_t shift) {
  stats::ShiftCounts counts;
  const auto size = 64 * std::ssize(earlier);
  for (std::int64_t i = 0; i < size; ++i) {
    if (i + shift < 0 || i + shift >= size) continue;
    const bool a = bit_at(earlier, static_cast<std::size_t>(i));
    const bool b = bit_at(later, static_cast<std::size_t>(i + shift));
    counts += {1, a ? 1U : 0U, b ? 1U : 0U, a && b ? 1U : 0U};
  }
  return counts;
}

RC_GTEST_PROP(LagCounter, CountsEveryLagExactly, (std::uint64_t key)) {
  const auto block_words = *rc::gen::element<std::size_t>(1, 2, 4);
  const auto blocks = *rc::gen::inRange<std::size_t>(2, 14);
  const auto reach = *rc::gen::inRange<std::size_t>(1, blocks);
  const auto words =
      random_bits(block_words * blocks, *rc::gen::element(0.1, 0.5, 0.9), key);
  LagCounter counter(64 * block_words, reach);
  for (std::size_t b = 0; b < blocks; ++b) {
    counter.add(words.data() + b * block_words);
  }
  const auto lags = counter.lags();
  RC_ASSERT(lags.size() == 64 * block_words * reach - 1);
  for (std::size_t k = 0; k < lags.size(); ++k) {
    RC_ASSERT(lags[k] ==
              counted(words, words, static_cast<std::int64_t>(k + 1)));
  }
}

// The largest blocks in use, with the most drops: rounding has no say.
TEST(LagCounter, IsExactForLongBlocks) {
  constexpr std::size_t kBlockBits = 65536;
  const auto words = random_bits(6 * kBlockBits / 64, 0.9, 5);
  LagCounter counter(kBlockBits, 2);
  for (std::size_t b = 0; b < 6; ++b) {
    counter.add(words.data() + b * kBlockBits / 64);
  }
  const auto lags = counter.lags();
  for (const std::size_t lag :
       {1UL, 97UL, 4096UL, 65535UL, 65536UL, 65537UL, 100003UL, 131071UL}) {
    EXPECT_EQ(lags[lag - 1].both,
              joint_at_lag(words.data(), 6 * kBlockBits, lag))
        << lag;
  }
}

RC_GTEST_PROP(CrossCounter, CountsEveryShiftOfAllPairs, (std::uint64_t key)) {
  CrossCounter counter(128);
  std::vector<stats::ShiftCounts> expected(255);
  for (std::uint64_t pair = 0; pair < 3; ++pair) {
    const auto a = random_bits(2, 0.2, key + 2 * pair);
    const auto b = random_bits(2, 0.5, key + 2 * pair + 1);
    counter.add(a.data(), b.data());
    for (std::size_t k = 0; k < expected.size(); ++k) {
      expected[k] += counted(a, b, static_cast<std::int64_t>(k) - 127);
    }
  }
  RC_ASSERT(counter.shifts() == expected);
}

TEST(BlockCorrelation, RefusesBlocksThatAreNoPowerOfTwo) {
  EXPECT_THROW(BlockCorrelation(32), std::invalid_argument);
  EXPECT_THROW(BlockCorrelation(96), std::invalid_argument);
}

// Bit for bit, on every set of vectors: evidence must not depend on the
// machine.
TEST(Spectra, AddProductsAsThePlainLoop) {
  std::mt19937_64 words(7);
  const auto any = [&] {
    return std::ldexp(static_cast<double>(words() >> 11U), -50) - 4;
  };
  for (const std::size_t count : {0U, 1U, 3U, 8U, 9U, 31U, 100U}) {
    std::vector<double> a(count), b(count), sum(count);
    std::vector<double> ai(count), bi(count), sum_i(count);
    for (auto* values : {&a, &b, &sum, &ai, &bi, &sum_i}) {
      for (double& value : *values) value = any();
    }
    std::vector<double> expected = sum;
    std::vector<double> expected_i = sum_i;
    const ComplexNumbers first{a.data(), ai.data()};
    const ComplexNumbers second{b.data(), bi.data()};
    const std::vector<SpectrumPair> pairs{{first, second}, {second, second}};
    for (std::size_t k = 0; k < count; ++k) {
      expected[k] += b[k] * a[k] + bi[k] * ai[k];
      expected_i[k] += bi[k] * a[k] - b[k] * ai[k];
      expected[k] += b[k] * b[k] + bi[k] * bi[k];
    }
    on_all_vector_sets([&] {
      std::vector<double> result = sum;
      std::vector<double> result_i = sum_i;
      add_conjugate_products(pairs, count, result.data(), result_i.data());
      EXPECT_EQ(result, expected);
      EXPECT_EQ(result_i, expected_i);
    });
  }
}

// Against the sum that a transform is, for every row that it leaves.
RC_GTEST_PROP(Spectra, TransformColumns, (std::uint64_t key)) {
  const auto rows = *rc::gen::element<std::size_t>(8, 16, 32, 64, 128);
  constexpr std::size_t kColumns = 8;
  constexpr std::size_t kStride = 11;
  std::mt19937_64 words(key);
  std::vector<double> re(rows * kStride), im(rows * kStride);
  for (auto* values : {&re, &im}) {
    for (double& value : *values) {
      value = std::ldexp(static_cast<double>(words() >> 11U), -53) - .5;
    }
  }
  std::vector<double> roots(roots_for(rows)), roots_i(roots.size());
  fill_roots(rows, roots.data(), roots_i.data());
  std::vector<double> first, first_i;
  on_all_vector_sets([&] {
    std::vector<double> out = re, out_i = im;
    const ComplexMatrix matrix{out.data(), out_i.data(), rows, kColumns,
                               kStride};
    transform_columns(matrix, {roots.data(), roots_i.data()});
    if (first.empty()) first = out, first_i = out_i;
    RC_ASSERT(out == first);
    RC_ASSERT(out_i == first_i);
    restore_columns(matrix, {roots.data(), roots_i.data()});
    for (std::size_t i = 0; i < rows * kStride; ++i) {
      const double times =
          i % kStride < kColumns ? static_cast<double>(rows) : 1;
      RC_ASSERT(std::abs(out[i] - times * re[i]) < 1e-12);
      RC_ASSERT(std::abs(out_i[i] - times * im[i]) < 1e-12);
    }
  });
  for (std::size_t row = 0; row < rows; ++row) {
    const auto frequency = static_cast<double>(frequency_of_row(row, rows));
    for (std::size_t c = 0; c < kColumns; ++c) {
      std::complex<double> sum = 0;
      for (std::size_t n = 0; n < rows; ++n) {
        sum += std::complex(re[n * kStride + c], im[n * kStride + c]) *
               std::polar(1.0, -2 * std::numbers::pi * frequency *
                                   static_cast<double>(n) /
                                   static_cast<double>(rows));
      }
      RC_ASSERT(std::abs(sum - std::complex(first[row * kStride + c],
                                            first_i[row * kStride + c])) <
                1e-12);
    }
  }
}

TEST(Spectra, AreThoseOfEveryProcessor) {
  const auto words = random_bits(2048 / 64, .3, 9);
  BlockCorrelation correlation(2048);
  BlockCorrelation::Spectrum first;
  correlation.transform(words.data(), first);
  BlockCorrelation::Spectrum sum(first.size());
  const BlockCorrelation::Pair pair{&first, &first};
  correlation.add_pairs({&pair, 1}, 0, correlation.size(), sum);
  const auto counts = correlation.counts(sum);
  on_all_vector_sets([&] {
    BlockCorrelation::Spectrum spectrum;
    correlation.transform(words.data(), spectrum);
    EXPECT_EQ(spectrum, first);
    EXPECT_EQ(correlation.counts(sum), counts);
  });
}

}  // namespace
}  // namespace dropcheck::properties
