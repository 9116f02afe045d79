// Sums of values: the same bits on every processor and any number of threads,
// and no digit of mean or variance lost at 1e8 values.
#include "value_sums.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <tbb/task_arena.h>

#include <array>
#include <cmath>
#include <vector>

#include "dropcheck/impl/random_stream.hpp"
#include "dropcheck/impl/tensor.hpp"
#include "impl/tests/vector_sets.hpp"

namespace dropcheck::properties {
namespace {

using impl::testing::on_all_vector_sets;

/// Results of dropout with p = .1 for inputs from 1/2 to 3/2.
impl::Tensor dropped_values(impl::DType dtype, std::int64_t count,
                            std::uint64_t seed) {
  impl::Tensor values(dtype, {count});
  impl::RandomStream stream(seed);
  for (std::int64_t i = 0; i < count; ++i) {
    const std::uint64_t word = stream.next();
    const double x = .5 + std::ldexp(static_cast<double>(word >> 16U), -48);
    values.view().set(i, word % 10 == 0 ? 0 : x / .9);
  }
  return values;
}

TEST(ValueSums, AreThoseOfThePlainCode) {
  EXPECT_TRUE(rc::check([] {
    const auto dtype =
        *rc::gen::element(impl::DType::kFloat64, impl::DType::kFloat32,
                          impl::DType::kFloat16, impl::DType::kBFloat16);
    const auto count = *rc::gen::inRange<std::size_t>(0, 300).as("count");
    const auto from = *rc::gen::inRange<std::size_t>(0, 9).as("from");
    const double centre = *rc::gen::element(0.0, 1.0, -0.25);
    const impl::Tensor values =
        dropped_values(dtype, static_cast<std::int64_t>(from + count),
                       *rc::gen::arbitrary<std::uint64_t>());
    const std::byte* const first = values.bytes() + from * impl::size_of(dtype);
    const PowerSums plain = power_sums_plainly(dtype, first, count, centre);
    RC_ASSERT(plain.n == count);
    on_all_vector_sets(
        [&] { RC_ASSERT(power_sums(dtype, first, count, centre) == plain); });
  }));
}

// Subnormals and the largest numbers of each dtype are exact, too.
TEST(ValueSums, TakeEveryNumberOfSixteenBits) {
  for (const impl::DType dtype :
       {impl::DType::kFloat16, impl::DType::kBFloat16}) {
    std::vector<std::uint16_t> values;
    for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
      const auto value = static_cast<std::uint16_t>(bits);
      if (std::abs(impl::load(&value, dtype)) < 1e30) values.push_back(value);
    }
    const PowerSums plain =
        power_sums_plainly(dtype, values.data(), values.size(), 0);
    EXPECT_EQ(plain.zeros, 2U);
    on_all_vector_sets([&] {
      EXPECT_EQ(power_sums(dtype, values.data(), values.size(), 0), plain);
    });
  }
}

TEST(ValueMoments, AreTheSameOnAnyNumberOfThreads) {
  const impl::Tensor values =
      dropped_values(impl::DType::kFloat32, (1 << 18) + 77, 5);
  const auto moments_on = [&](int threads) {
    ValueMoments result;
    tbb::task_arena(threads).execute([&] {
      result = value_moments(values.dtype(), values.bytes(),
                             static_cast<std::size_t>(values.size()));
    });
    return result;
  };
  const ValueMoments one = moments_on(1);
  for (const int threads : {1, 2}) {
    const ValueMoments many = moments_on(threads);
    EXPECT_EQ(many.moments.mean, one.moments.mean);
    EXPECT_EQ(many.moments.m2, one.moments.m2);
    EXPECT_EQ(many.moments.m3, one.moments.m3);
    EXPECT_EQ(many.moments.m4, one.moments.m4);
    EXPECT_EQ(many.zeros, one.zeros);
  }
}

// PERFORMANCE, section 4: float sums of so many values are off in the third
// digit. The block is summed again and again, as if it were 1e8 values: their
// mean and variance are its own.
TEST(ValueMoments, LoseNoDigitsAtAHundredMillionValues) {
  constexpr std::int64_t kBlock = 1 << 20;
  constexpr int kTimes = 96;
  const impl::Tensor values = dropped_values(impl::DType::kFloat32, kBlock, 9);
  const auto* const floats = reinterpret_cast<const float*>(values.bytes());
  long double sum = 0;
  for (std::int64_t i = 0; i < kBlock; ++i) sum += floats[i];
  const long double mean = sum / kBlock;
  std::array<long double, 5> central{};
  for (std::int64_t i = 0; i < kBlock; ++i) {
    const long double off = static_cast<long double>(floats[i]) - mean;
    central[2] += off * off / kBlock;
    central[3] += off * off * off / kBlock;
    central[4] += off * off * off * off / kBlock;
  }
  stats::Moments all;
  float naive = 0;
  for (int time = 0; time < kTimes; ++time) {
    all.merge(value_moments(values.dtype(), values.bytes(),
                            static_cast<std::size_t>(kBlock))
                  .moments);
    for (std::int64_t i = 0; i < kBlock; ++i) naive += floats[i];
  }
  EXPECT_EQ(all.n, 1.0 * kBlock * kTimes);
  const auto error = [&](double value, long double due) {
    return static_cast<double>(std::abs(value / due - 1));
  };
  EXPECT_LT(error(all.mean, mean), 1e-11);
  EXPECT_LT(error(all.m2 / all.n, central[2]), 1e-11);
  EXPECT_LT(error(all.m3 / all.n, central[3]), 1e-9);
  EXPECT_LT(error(all.m4 / all.n, central[4]), 1e-11);
  EXPECT_GT(error(static_cast<double>(naive) / all.n, mean), 1e-3);
}

TEST(ValueMoments, CountZerosOfEitherSign) {
  const std::vector<float> values{0, -0.0F, 1, 0, 2};
  const ValueMoments moments =
      value_moments(impl::DType::kFloat32, values.data(), values.size());
  EXPECT_EQ(moments.zeros, 3U);
  EXPECT_DOUBLE_EQ(moments.moments.mean, .6);
  EXPECT_EQ(value_moments(impl::DType::kFloat32, values.data(), 0).moments.n,
            0);
}

}  // namespace
}  // namespace dropcheck::properties
