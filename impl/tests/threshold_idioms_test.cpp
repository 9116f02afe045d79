// The effective drop probabilities of the idioms: the table of STATISTICS 2.e,
// as exact fractions where it has them and to its printed digits elsewhere.
#include "dropcheck/impl/threshold_idioms.hpp"

#include <gmock/gmock.h>

#include <array>
#include <cmath>
#include <string>
#include <vector>

namespace dropcheck::impl {
namespace {

constexpr std::array<double, 6> kDrops{.05, .1, .2, .3, .5, .9};

DyadicFraction fraction(const char* name, DType dtype, double drop) {
  return drop_fraction(find_idiom(name, dtype), Probability::from_drop(drop));
}

std::vector<std::string> fractions(const char* name, DType dtype) {
  std::vector<std::string> all;
  for (const double drop : kDrops) {
    all.push_back(to_string(fraction(name, dtype, drop)));
  }
  return all;
}

/// Each bias within half a unit of the second digit, as printed.
void expect_biases(const char* name, DType dtype,
                   const std::array<double, 6>& expected) {
  for (std::size_t i = 0; i < kDrops.size(); ++i) {
    const double bias = fraction(name, dtype, kDrops[i]).error(kDrops[i]);
    if (expected[i] == 0) {
      EXPECT_EQ(bias, 0) << name << " at " << kDrops[i];
      continue;
    }
    const double digit =
        std::pow(10, std::floor(std::log10(std::abs(expected[i]))) - 1);
    EXPECT_NEAR(bias, expected[i], .51 * digit) << name << " at " << kDrops[i];
  }
}

TEST(ThresholdIdioms, FloorOfKeepPlusRand) {
  using ::testing::ElementsAre;
  EXPECT_THAT(fractions("floor_keep_plus_rand", DType::kFloat16),
              ElementsAre("51/1024", "205/2048", "205/1024", "307/1024", "1/2",
                          "1843/2048"));
  EXPECT_THAT(
      fractions("floor_keep_plus_rand", DType::kBFloat16),
      ElementsAre("13/256", "13/128", "51/256", "77/256", "1/2", "115/128"));
  expect_biases("floor_keep_plus_rand", DType::kFloat32,
                {1.2e-8, 2.4e-8, -1.2e-8, 1.2e-8, 0, -2.4e-8});
}

TEST(ThresholdIdioms, FloorOfKeepPlusRandOnCuda) {
  expect_biases("floor_keep_plus_rand_cuda", DType::kFloat16,
                {3.1e-6, 6.1e-6, 1.2e-5, -7.3e-5, -1.22e-4, -9.8e-5});
  expect_biases("floor_keep_plus_rand_cuda", DType::kBFloat16,
                {-7.3e-5, -1.46e-4, -2.93e-4, -1.95e-4, -9.77e-4, -1.56e-3});
}

// P(U = 0) = 2.44e-4 and 1.953e-3: what U > drop drops at p = 0.
TEST(ThresholdIdioms, CudaRandReturnsZero) {
  for (const auto& [dtype, expected] :
       {std::pair{DType::kFloat16, 2.442e-4}, {DType::kBFloat16, 1.953e-3}}) {
    ThresholdIdiom idiom = find_idiom("floor_keep_plus_rand_cuda", dtype);
    idiom.rule = KeepRule::kAbove;
    EXPECT_NEAR(drop_fraction(idiom, Probability::from_drop(0)).value(),
                expected, 5e-7);
  }
}

TEST(ThresholdIdioms, Comparisons) {
  expect_biases("rand_at_least_drop", DType::kBFloat16,
                {7.8e-4, 1.56e-3, 3.1e-3, 7.8e-4, 0, -1.56e-3});
  expect_biases("rand_above_drop", DType::kBFloat16,
                {7.8e-4, 1.56e-3, 3.1e-3, 4.7e-3, 3.9e-3, 2.3e-3});
  EXPECT_EQ(to_string(fraction("rand_above_drop", DType::kBFloat16, 0)),
            "1/256");
  EXPECT_EQ(to_string(fraction("rand_at_least_drop", DType::kBFloat16, 0)),
            "0");
}

TEST(ThresholdIdioms, TensorFlow) {
  expect_biases("tensorflow_uniform", DType::kBFloat16,
                {4.7e-3, 1.56e-3, 3.1e-3, 4.7e-3, 0, -1.56e-3});
  expect_biases("tensorflow_uniform", DType::kFloat16,
                {7.8e-4, 5.9e-4, 2.0e-4, 7.8e-4, 0, 3.9e-4});
  expect_biases("tensorflow_uniform", DType::kFloat32,
                {7.2e-8, 2.4e-8, 4.8e-8, 7.2e-8, 0, -2.4e-8});
}

TEST(ThresholdIdioms, CudaFusedDropout) {
  expect_biases("cuda_fused_dropout", DType::kFloat32,
                {4.1e-8, 5.4e-8, 1.8e-8, 4.1e-8, 1.5e-8, 2.0e-9});
}

TEST(ThresholdIdioms, FlashAttention) {
  const auto value = [](double drop) {
    return fraction("threshold_8bit", DType::kFloat32, drop).value();
  };
  EXPECT_EQ(value(.05), .05078125);
  EXPECT_EQ(value(.1), .1015625);
  EXPECT_EQ(value(.15), .15234375);
  EXPECT_EQ(value(.17), .171875);
  EXPECT_EQ(value(.2), .19921875);
  EXPECT_EQ(value(.3), .30078125);
  EXPECT_EQ(value(.5), .5);
  EXPECT_EQ(value(.9), .8984375);
  for (const double drop : {.05, .2, .3}) {
    const double bias =
        fraction("threshold_16bit", DType::kFloat32, drop).error(drop);
    EXPECT_NEAR(std::abs(bias), 3.05e-6, 5e-9) << drop;
  }
  for (const double drop : {.1, .9}) {
    const double bias =
        fraction("threshold_16bit", DType::kFloat32, drop).error(drop);
    EXPECT_NEAR(std::abs(bias), 6.1e-6, 5e-8) << drop;
  }
}

// The bisection rests on monotony: here every word up to 24 bits is tried.
TEST(ThresholdIdioms, CountsAsEnumerationDoes) {
  for (const ThresholdIdiom& idiom : threshold_idioms()) {
    if (idiom.word_bits > 24) continue;
    for (const double drop : {0.0, .1, .9}) {
      const auto probability = Probability::from_drop(drop);
      const auto words = std::uint64_t{1}
                         << static_cast<unsigned>(idiom.word_bits);
      std::uint64_t dropped = 0;
      for (std::uint64_t word = 0; word < words; ++word) {
        dropped += keeps(idiom, probability, word) ? 0U : 1U;
      }
      EXPECT_EQ(drop_fraction(idiom, probability),
                DyadicFraction::of(dropped, idiom.word_bits))
          << idiom.name << " " << name_of(idiom.dtype) << " at " << drop;
    }
  }
}

// On a grid of step s each of at most three changes costs at most s words.
TEST(ThresholdIdioms, CountsWideWordsAsAGridDoes) {
  constexpr std::uint64_t kStep = 4099;
  for (const ThresholdIdiom& idiom : threshold_idioms()) {
    if (idiom.word_bits != 32) continue;
    const auto probability = Probability::from_drop(.3);
    std::uint64_t dropped = 0;
    for (std::uint64_t word = 0; word < std::uint64_t{1} << 32U;
         word += kStep) {
      dropped += keeps(idiom, probability, word) ? 0 : kStep;
    }
    EXPECT_NEAR(drop_fraction(idiom, probability).value(),
                std::ldexp(static_cast<double>(dropped), -32),
                std::ldexp(3.0 * kStep, -32))
        << idiom.name << " " << name_of(idiom.dtype);
  }
}

TEST(ThresholdIdioms, AreFoundByNameAndDtype) {
  for (const ThresholdIdiom& idiom : threshold_idioms()) {
    EXPECT_EQ(&find_idiom(idiom.name, idiom.dtype), &idiom) << idiom.name;
    EXPECT_FALSE(idiom.seen_in.empty());
  }
  EXPECT_EQ(find_idiom("threshold_8bit", DType::kFloat16).word_bits, 8);
  EXPECT_THROW(find_idiom("threshold", DType::kFloat32), std::invalid_argument);
}

}  // namespace
}  // namespace dropcheck::impl
