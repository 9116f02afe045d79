// drop_block: the exact marginal law, by enumeration of all sets of centres,
// and what is special about the layer: blocks, and a scale that is measured.
#include "reference/drop_block.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <cstdint>
#include <ostream>
#include <set>

#include "dropcheck/impl/block_law.hpp"
#include "reference/layers.hpp"
#include "support.hpp"

namespace dropcheck::impl {
namespace {

using testing::builtin;
using testing::counting;
using ::testing::Each;
using ::testing::ElementsAre;
using testing::filled;
using testing::values_of;

struct BlockCase {
  std::string layer;
  Shape shape;  ///< one map
  BlockOptions block;
};

void PrintTo(const BlockCase& test, std::ostream* out) {
  *out << test.layer << " " << to_string(test.shape) << " "
       << describe({.block = test.block});
}

const Law& law_of(const BlockCase& test) { return *find_law(test.layer); }

LayerConfig config_of(const BlockCase& test) {
  return {.layer = test.layer, .drop_probability = .4, .block = test.block};
}

// Even, odd, cut off at the border, longer than an axis, as long as it.
std::vector<BlockCase> small_maps() {
  return {{"drop_block2d", {1, 1, 4, 5}, {.size = 2}},
          {"drop_block2d", {1, 1, 5, 6}, {.size = 3}},
          {"drop_block2d", {1, 1, 3, 4}, {.size = 2, .whole_map = true}},
          {"drop_block2d", {1, 1, 3, 4}, {.size = 3, .whole_map = true}},
          {"drop_block2d", {1, 1, 2, 6}, {.size = 3, .plain_gamma = true}},
          {"drop_block2d", {1, 1, 1, 7}, {.size = 3, .whole_map = true}},
          {"drop_block2d", {1, 1, 3, 5}, {.size = 1}},
          {"drop_block3d", {1, 1, 2, 3, 4}, {.size = 2}},
          {"drop_block3d", {1, 1, 2, 2, 3}, {.size = 2, .whole_map = true}}};
}

class SmallMap : public ::testing::TestWithParam<BlockCase> {
 protected:
  /// Calls `f(pattern, probability)` for every set of centres; the pattern is
  /// what the reference layer drops when it is driven by words for that set.
  template <class F>
  void for_each_set(const F& f) const {
    const BlockCase& test = GetParam();
    const LayerConfig config = config_of(test);
    const BlockLaw law = block_law(law_of(test), config, test.shape);
    const auto centres = static_cast<unsigned>(law.centres());
    ASSERT_LE(centres, 16U);
    reference::MaskedLayer layer(config,
                                 reference::find_rule(test.layer)(config));
    const Tensor input = filled(DType::kFloat64, test.shape, 1);
    const Tensor output(DType::kFloat64, test.shape);
    for (std::uint32_t set = 0; set < 1U << centres; ++set) {
      std::vector<std::uint64_t> words;
      double probability = 1;
      for (unsigned i = 0; i < centres; ++i) {
        const bool drawn = (set >> i & 1U) != 0;
        words.push_back(drawn ? ~std::uint64_t{0} : 0);
        probability *= drawn ? law.gamma : 1 - law.gamma;
      }
      ASSERT_EQ(layer.drive(input.view(), words, output.view()), centres);
      std::vector<bool> dropped;
      for (const double y : values_of(output.view())) dropped.push_back(y == 0);
      f(dropped, probability);
    }
  }
};

INSTANTIATE_TEST_SUITE_P(DropBlock, SmallMap,
                         ::testing::ValuesIn(small_maps()));

TEST_P(SmallMap, DropsEveryPositionAtTheExactRate) {
  const BlockCase& test = GetParam();
  const auto expected =
      block_law(law_of(test), config_of(test), test.shape).drop_map();
  std::vector<double> rate(expected.size());
  for_each_set([&](const std::vector<bool>& dropped, double probability) {
    for (std::size_t i = 0; i < rate.size(); ++i) {
      if (dropped[i]) rate[i] += probability;
    }
  });
  for (std::size_t i = 0; i < rate.size(); ++i) {
    EXPECT_NEAR(rate[i], expected[i], 1e-12) << i;
  }
}

// The joint law of all units is the product: what the statistical checks of a
// dependent layer rest on.
TEST_P(SmallMap, HasIndependentUnitsOfOneRate) {
  const BlockCase& test = GetParam();
  const LayerConfig config = config_of(test);
  const auto units = unit_of_element(law_of(test), config, test.shape);
  const auto count = static_cast<std::size_t>(
      element_count(unit_shape(law_of(test), config, test.shape)));
  ASSERT_GE(count, 1U);
  std::vector<double> joint(std::size_t{1} << count);
  for_each_set([&](const std::vector<bool>& dropped, double probability) {
    std::size_t pattern = 0;
    for (std::size_t i = 0; i < units.size(); ++i) {
      if (units[i] != kNoUnit && dropped[i]) {
        pattern |= std::size_t{1} << units[i];
      }
    }
    joint[pattern] += probability;
  });
  const double rate = unit_drop_probability(law_of(test), config, test.shape);
  for (std::size_t pattern = 0; pattern < joint.size(); ++pattern) {
    double product = 1;
    for (std::size_t i = 0; i < count; ++i) {
      product *= (pattern >> i & 1U) != 0 ? rate : 1 - rate;
    }
    EXPECT_NEAR(joint[pattern], product, 1e-12) << pattern;
  }
}

// torch's max_pool with padding k / 2 and stride 1, an even one cropped at the
// end: position j sees the centres j - k / 2 to j - k / 2 + k - 1.
TEST(BlockAxis, CoversAsAMaxPoolDoes) {
  for (const std::int64_t block : {1, 2, 3, 4, 5}) {
    const BlockAxis axis{9, block, 0, 8};
    for (std::int64_t j = 0; j < 9; ++j) {
      std::int64_t seen = 0;
      for (std::int64_t c = j - block / 2; c < j - block / 2 + block; ++c) {
        seen += c >= 0 && c < 9 ? 1 : 0;
      }
      EXPECT_EQ(axis.covering(j), seen) << block << " " << j;
    }
  }
}

TEST(BlockAxis, ReadsPositionsABlockApart) {
  EXPECT_THAT((BlockAxis{11, 3, 1, 9}).readable(), ElementsAre(2, 5, 8));
  EXPECT_THAT((BlockAxis{5, 3, 1, 3}).readable(), ElementsAre(2));
  EXPECT_THAT((BlockAxis{4, 3, 1, 2}).readable(), ElementsAre(1));
  EXPECT_THAT((BlockAxis{3, 3, 1, 1}).readable(), ElementsAre(0));
}

// The gamma of the paper is right to first order only: blocks overlap.
TEST(BlockLaw, ShowsTheBiasOfTheUsualGamma) {
  const Shape shape{1, 1, 28, 28};
  const Law& law = *find_law("drop_block2d");
  const auto mean = [&](double drop) {
    const auto map =
        block_law(law, {.drop_probability = drop, .block = {.size = 7}}, shape)
            .drop_map();
    double sum = 0;
    for (const double rate : map) sum += rate;
    return sum / static_cast<double>(map.size());
  };
  EXPECT_DOUBLE_EQ(
      block_law(law, {.drop_probability = .1, .block = {.size = 7}}, shape)
          .gamma,
      .1 / 49 * 28 * 28 / (22. * 22.));
  EXPECT_NEAR(mean(.1), .0939, 1e-4);
  EXPECT_NEAR(mean(.5), .3723, 1e-4);
  EXPECT_NEAR(mean(1e-6) / 1e-6, 1, 1e-4);
}

TEST(BlockLaw, RefusesABlockOfNothing) {
  const LayerConfig config{.layer = "drop_block2d", .block = {.size = 0}};
  EXPECT_THROW(block_law(*find_law("drop_block2d"), config, {1, 1, 3, 3}),
               std::invalid_argument);
  EXPECT_THROW(builtin(config), LayerError);
}

TEST(DropBlock, MeasuresItsScaleInEveryCall) {
  const auto layer = builtin({.layer = "drop_block2d",
                              .drop_probability = .3,
                              .dtype = DType::kFloat64});
  Tensor input = filled(DType::kFloat64, {3, 4, 6, 7}, 1);
  std::set<double> scales;
  for (int call = 0; call < 20; ++call) {
    const auto output = values_of(layer->forward({.input = input.view()}));
    double sum = 0;
    for (const double y : output) {
      sum += y;
      if (y != 0) scales.insert(y);
    }
    EXPECT_NEAR(sum, static_cast<double>(input.size()), 1e-9);
    EXPECT_EQ(values_of(layer->backward(input.view())), output);
  }
  EXPECT_GT(scales.size(), 10U);
}

TEST(DropBlock, CouplesChannelsWhereAsked) {
  const auto layer = builtin({.layer = "drop_block2d",
                              .drop_probability = .5,
                              .block = {.shared_by_channels = true}});
  Tensor input = filled(DType::kFloat32, {2, 3, 6, 5}, 1);
  const auto y = values_of(layer->forward({.input = input.view()}));
  for (std::size_t i = 0; i < 30; ++i) {
    EXPECT_EQ(y[i], y[30 + i]);
    EXPECT_EQ(y[i], y[60 + i]);
  }
}

// One block as large as the map.
TEST(DropBlock, DropsAWholeMapAtOne) {
  const auto layer = builtin(
      {.layer = "drop_block2d", .drop_probability = 1, .block = {.size = 7}});
  Tensor input = counting(DType::kFloat32, {2, 3, 7, 7});
  EXPECT_THAT(values_of(layer->forward({.input = input.view()})), Each(0));
}

}  // namespace
}  // namespace dropcheck::impl
