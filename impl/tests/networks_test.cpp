#include <gmock/gmock.h>

#include <cmath>
#include <stdexcept>
#include <utility>
#include <vector>

#include "dropcheck/impl/networks/linear_relu_drop_path.hpp"
#include "dropcheck/impl/networks/selu_network.hpp"
#include "support.hpp"

namespace dropcheck::impl::networks {
namespace {

using impl::testing::builtin;
using impl::testing::faulty;
using impl::testing::values_of;
using ::testing::ElementsAre;

/// in = 4, out = 2: the sums of even and of odd columns, less 10 and plus 1.
LinearReluParameters parameters() {
  return {Tensor(DType::kFloat64, {2, 4}, {1, 0, 1, 0, 0, 1, 0, 1}),
          Tensor(DType::kFloat64, {2}, {-10, 1})};
}

/// The first seed whose two decisions at 1/2 are keep, drop.
std::uint64_t seed_of_keep_drop(Layer& layer) {
  Tensor ones(DType::kFloat64, {2, 1}, {1, 1});
  for (std::uint64_t seed = 0;; ++seed) {
    layer.reseed(seed);
    if (values_of(layer.forward({.input = ones.view()})) ==
        std::vector<double>{2, 0}) {
      return seed;
    }
  }
}

TEST(LinearReluDropPath, DoublesKeptRowsAndZeroesDroppedOnes) {
  const auto path = builtin({.layer = "drop_path", .dtype = DType::kFloat64});
  path->reseed(seed_of_keep_drop(*path));
  const LinearReluDropPath block(parameters(), *path);
  Tensor input(DType::kFloat64, {2, 4}, {1, 2, 3, 4, 5, 6, 7, 8});
  const auto taps = block.forward(input.view(), true);
  EXPECT_THAT(values_of(taps.hidden.view()), ElementsAre(0, 7, 2, 15));
  EXPECT_THAT(values_of(taps.output.view()), ElementsAre(0, 14, 0, 0));
}

TEST(LinearReluDropPath, LeavesTheHiddenRowsAloneAtEvaluation) {
  const auto path = builtin({.layer = "drop_path", .dtype = DType::kFloat64});
  const LinearReluDropPath block(parameters(), *path);
  Tensor input(DType::kFloat64, {2, 4}, {1, 2, 3, 4, 5, 6, 7, 8});
  const auto taps = block.forward(input.view(), false);
  EXPECT_EQ(values_of(taps.output.view()), values_of(taps.hidden.view()));
}

TEST(LinearReluDropPath, RefusesShapesThatDisagree) {
  const auto path = builtin({.layer = "drop_path"});
  const LinearReluDropPath block(parameters(), *path);
  Tensor narrow(DType::kFloat64, {2, 3});
  EXPECT_THROW(block.forward(narrow.view(), true), std::invalid_argument);
  auto wrong = parameters();
  wrong.bias = Tensor(DType::kFloat64, {3});
  EXPECT_THROW(LinearReluDropPath(std::move(wrong), *path),
               std::invalid_argument);
}

// n = 2^20 fixed values: mean, variance and fourth moment have the standard
// errors sqrt(1, 2, 96) / 2^10; the bands are five of them.
TEST(FillNormal, HasTheMomentsOfANormal) {
  std::vector<float> values(1U << 20U);
  fill_normal(1, 2, values);
  double mean = 0;
  double square = 0;
  double fourth = 0;
  for (const float value : values) {
    const auto x = static_cast<double>(value);
    mean += x;
    square += x * x;
    fourth += x * x * x * x;
  }
  const auto n = static_cast<double>(values.size());
  const double band = 5 / std::sqrt(n);
  EXPECT_NEAR(mean / n, 0, band);
  EXPECT_NEAR(square / n, 1, band * std::sqrt(2));
  EXPECT_NEAR(fourth / n, 3, band * std::sqrt(96));
}

TEST(FillNormal, DependsOnKeyAndNumberOnly) {
  std::vector<float> one(1500);
  std::vector<float> same(1500);
  std::vector<float> other(1500);
  fill_normal(1, 2, one);
  fill_normal(1, 2, same);
  fill_normal(1, 3, other);
  EXPECT_EQ(one, same);
  EXPECT_NE(one, other);
}

/// Averages over 40 passes, keys and seeds fixed.
Moments average(Layer& dropout) {
  SeluNetwork network({.depth = 16, .width = 64, .batch = 16}, dropout);
  Moments sum;
  for (std::uint64_t key = 0; key < 40; ++key) {
    const Moments moments = network.pass(key);
    sum.mean += moments.mean / 40;
    sum.mean_square += moments.mean_square / 40;
  }
  return sum;
}

// Plain dropout ends near 1.5, so 0.15 separates the two by far.
TEST(SeluNetwork, KeepsMeanAndVarianceWithAlphaDropoutOnly) {
  const LayerConfig tenth{.layer = "alpha_dropout", .drop_probability = .1};
  const Moments right = average(*builtin(tenth));
  EXPECT_NEAR(right.mean, 0, .05);
  EXPECT_NEAR(right.mean_square, 1, .15);
  const Moments wrong = average(*faulty("alpha_is_plain_dropout", tenth));
  EXPECT_GT(wrong.mean_square, 1.3);
}

TEST(SeluNetwork, RepeatsAPassWithItsKeyAndSeed) {
  const auto dropout = builtin({.layer = "alpha_dropout"});
  SeluNetwork network({.depth = 3, .width = 8, .batch = 2}, *dropout);
  dropout->reseed(1);
  const Moments first = network.pass(5);
  dropout->reseed(1);
  const Moments again = network.pass(5);
  EXPECT_EQ(first.mean, again.mean);
  EXPECT_EQ(first.mean_square, again.mean_square);
  EXPECT_THROW(SeluNetwork({.depth = 0}, *dropout), std::invalid_argument);
}

}  // namespace
}  // namespace dropcheck::impl::networks
