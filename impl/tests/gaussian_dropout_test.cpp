// Gaussian dropout: factors of the right law, and one factor for forward and
// backward.
#include "reference/gaussian_dropout.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "support.hpp"

namespace dropcheck::impl {
namespace {

using testing::builtin;
using testing::counting;
using testing::filled;
using ::testing::HasSubstr;
using testing::values_of;

LayerConfig config_of(double drop, DType dtype = DType::kFloat64) {
  return {
      .layer = "gaussian_dropout", .drop_probability = drop, .dtype = dtype};
}

// 2^18 numbers of a fixed seed. The largest distance of their distribution
// function from the normal one is above 0.0063 with probability below 1e-8
// (Dvoretzky, Kiefer, Wolfowitz: 2 exp(-2 n d^2)).
TEST(FillNormal, FollowsTheNormalLaw) {
  std::vector<double> numbers(1U << 18U);
  RandomStream stream(7);
  reference::fill_normal(stream, numbers);
  EXPECT_EQ(stream.drawn(), numbers.size());
  std::sort(numbers.begin(), numbers.end());
  const auto n = static_cast<double>(numbers.size());
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const double due = std::erfc(-numbers[i] / std::numbers::sqrt2) / 2;
    ASSERT_NEAR(static_cast<double>(i) / n, due, .0063) << i;
  }
}

TEST(FillNormal, DrawsTheLastPairInFull) {
  std::vector<double> numbers(3);
  RandomStream stream(7);
  reference::fill_normal(stream, numbers);
  EXPECT_EQ(stream.drawn(), 4U);
}

// Standard errors of mean and standard deviation over 2^18 numbers are
// 0.002 s and 0.0014 s; seven of them are allowed.
TEST(GaussianDropout, HasFactorsOfMeanOneAndTheVarianceOfDropout) {
  for (const double drop : {.1, .5, .9}) {
    const auto layer = builtin(config_of(drop));
    layer->reseed(3);
    Tensor ones = filled(DType::kFloat64, {1 << 18}, 1);
    double sum = 0;
    double squares = 0;
    for (const double y : values_of(layer->forward({.input = ones.view()}))) {
      sum += y - 1;
      squares += (y - 1) * (y - 1);
    }
    const double n = 1 << 18;
    const double deviation = std::sqrt(drop / (1 - drop));
    EXPECT_NEAR(sum / n, 0, .014 * deviation);
    EXPECT_NEAR(std::sqrt(squares / n), deviation, .01 * deviation);
  }
}

TEST(GaussianDropout, MultipliesTheGradientByTheForwardFactor) {
  for (const DType dtype : {DType::kFloat64, DType::kBFloat16}) {
    const auto layer = builtin(config_of(.3, dtype));
    Tensor input = filled(dtype, {50}, 2);
    const auto y = values_of(layer->forward({.input = input.view()}));
    EXPECT_EQ(values_of(layer->backward(input.view())), y);
  }
}

TEST(GaussianDropout, IsTheIdentityAtZeroAndRefusesOne) {
  Tensor input = counting(DType::kFloat32, {4});
  EXPECT_EQ(values_of(builtin(config_of(0, DType::kFloat32))
                          ->forward({.input = input.view()})),
            values_of(input.view()));
  try {
    builtin(config_of(1));
    FAIL() << "1 was accepted";
  } catch (const LayerError& error) {
    EXPECT_THAT(error.what(), HasSubstr("drop probability is 1"));
  }
}

TEST(GaussianLaw, CountsAFactorBelowOneAsADrop) {
  const Law& law = *find_law("gaussian_dropout");
  EXPECT_NEAR(unit_drop_probability(law, config_of(.1), {2}), .5, 1e-14);
  EXPECT_NEAR(unit_drop_probability(law, config_of(.1, DType::kFloat32), {2}),
              .5, 1e-6);
  const double coarse =
      unit_drop_probability(law, config_of(.1, DType::kBFloat16), {2});
  EXPECT_LT(coarse, .5);
  EXPECT_GT(coarse, .48);
  EXPECT_EQ(unit_drop_probability(law, config_of(0), {2}), 0);
}

}  // namespace
}  // namespace dropcheck::impl
