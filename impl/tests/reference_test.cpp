// Worked examples and edges of the reference layers. Statistical claims are
// made elsewhere; here every expected value is exact.
#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <set>
#include <string>

#include "dropcheck/impl/law.hpp"
#include "dropcheck/impl/selu.hpp"
#include "reference/attention_dropout.hpp"
#include "reference/drop_connect.hpp"
#include "reference/layers.hpp"
#include "support.hpp"

namespace dropcheck::impl {
namespace {

using ::testing::AnyOf;
using testing::builtin;
using testing::counting;
using ::testing::Each;
using ::testing::ElementsAre;
using testing::filled;
using ::testing::HasSubstr;
using testing::shape_for;
using testing::values_of;

TEST(Dropout, ZeroesOrDoublesEachEntryOfAMatrix) {
  const auto layer = builtin({.layer = "dropout", .dtype = DType::kFloat64});
  Tensor input = counting(DType::kFloat64, {3, 3});
  const auto values = values_of(layer->forward({.input = input.view()}));
  for (std::size_t i = 0; i < 9; ++i) {
    const auto x = static_cast<double>(i + 1);
    EXPECT_THAT(values[i], AnyOf(0, 2 * x));
    EXPECT_EQ(input.view().value(static_cast<std::int64_t>(i)), x);
  }
}

TEST(Dropout, ReplacesItsInputInPlace) {
  const auto layer =
      builtin({.layer = "dropout", .dtype = DType::kFloat64, .in_place = true});
  const auto twin = builtin({.layer = "dropout", .dtype = DType::kFloat64});
  Tensor input = counting(DType::kFloat64, {3, 3});
  Tensor same = counting(DType::kFloat64, {3, 3});
  const TensorView output = layer->forward({.input = input.view()});
  EXPECT_EQ(output.data, input.view().data);
  EXPECT_EQ(values_of(input.view()),
            values_of(twin->forward({.input = same.view()})));
}

// One decision per sample against one per entry, of the same survivors.
TEST(DropPath, LosesWholeSamplesWhereDropoutLosesEntries) {
  const LayerConfig path{.layer = "drop_path", .drop_probability = .33};
  const LayerConfig entries{.layer = "dropout", .drop_probability = .33};
  const auto whole = builtin(path);
  const auto single = builtin(entries);
  Tensor input = counting(DType::kFloat32, {3, 2, 2, 2});
  const auto scale = static_cast<float>(1 / (1 - .33));
  const auto kept = [&](std::size_t i) {
    return static_cast<double>(static_cast<float>(i + 1) * scale);
  };
  std::set<int> lost;
  for (int call = 0; call < 20; ++call) {
    const auto rows = values_of(whole->forward({.input = input.view()}));
    const auto cells = values_of(single->forward({.input = input.view()}));
    int zeros = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const bool alive = rows[i / 8 * 8] != 0;
      EXPECT_EQ(rows[i], alive ? kept(i) : 0);
      EXPECT_THAT(cells[i], AnyOf(0, kept(i)));
      zeros += cells[i] == 0 ? 1 : 0;
    }
    lost.insert(zeros % 8);
  }
  EXPECT_GT(lost.size(), 1U);
}

TEST(AlphaDropout, NeverReturnsZeroForADroppedNumber) {
  const LayerConfig config{.layer = "alpha_dropout", .dtype = DType::kFloat64};
  const auto layer = builtin(config);
  const Affine map = affine(*find_law("alpha_dropout"), config);
  const std::vector<double> x{-2, -1, 0, 1, 2};
  Tensor input(DType::kFloat64, {5}, x);
  for (int call = 0; call < 50; ++call) {
    const auto y = values_of(layer->forward({.input = input.view()}));
    for (std::size_t i = 0; i < y.size(); ++i) {
      EXPECT_NE(y[i], 0);
      EXPECT_THAT(y[i], AnyOf(map.a * x[i] + map.b, map.dropped_value()));
    }
  }
}

TEST(FeatureAlphaDropout, SetsWholeChannelsToTheSaturationValue) {
  const LayerConfig config{.layer = "feature_alpha_dropout",
                           .dtype = DType::kFloat64};
  const auto layer = builtin(config);
  const Affine map = affine(*find_law(config.layer), config);
  Tensor input = counting(DType::kFloat64, {1, 3, 4, 4});
  std::set<int> dropped;
  for (int call = 0; call < 20; ++call) {
    const auto y = values_of(layer->forward({.input = input.view()}));
    for (std::size_t i = 0; i < y.size(); ++i) {
      const bool gone = y[i / 16 * 16] == map.dropped_value();
      const double x = static_cast<double>(i + 1);
      EXPECT_EQ(y[i], gone ? map.dropped_value() : map.a * x + map.b);
      if (gone) dropped.insert(static_cast<int>(i / 16));
    }
  }
  EXPECT_THAT(dropped, ElementsAre(0, 1, 2));
  EXPECT_DOUBLE_EQ((map.dropped_value() - map.b) / map.a, kSeluSaturation);
}

TEST(AttentionDropout, DropsWeightsAfterTheSoftmax) {
  const auto layer =
      builtin({.layer = "attention_dropout", .dtype = DType::kFloat64});
  Tensor scores(DType::kFloat64, {2, 3}, {0, 0, 0, 1000, 0, -1000});
  Tensor weights(DType::kFloat64, {2, 3});
  copy(layer->forward({.input = scores.view(), .training = false}),
       weights.view());
  EXPECT_THAT(values_of(weights.view()),
              ElementsAre(1.0 / 3, 1.0 / 3, 1.0 / 3, 1, 0, 0));
  const auto y = values_of(layer->forward({.input = scores.view()}));
  for (std::size_t i = 0; i < 6; ++i) {
    const double w = weights.view().value(static_cast<std::int64_t>(i));
    EXPECT_THAT(y[i], AnyOf(0, 2 * w));
  }
}

// The mask is frozen by reseeding, so the layer is a smooth function.
TEST(AttentionDropout, HasTheGradientOfItsForwardPass) {
  const auto layer =
      builtin({.layer = "attention_dropout", .dtype = DType::kFloat64});
  Tensor scores(DType::kFloat64, {2, 3}, {.1, -.4, .3, .7, .2, -.5});
  Tensor seeds(DType::kFloat64, {2, 3}, {1, -2, 3, .5, .25, -1});
  const auto loss = [&](std::int64_t i, double step) {
    Tensor moved = scores;
    moved.view().set(i, scores.view().value(i) + step);
    layer->reseed(3);
    const auto y = values_of(layer->forward({.input = moved.view()}));
    double sum = 0;
    for (std::size_t k = 0; k < 6; ++k) {
      sum += y[k] * seeds.view().value(static_cast<std::int64_t>(k));
    }
    return sum;
  };
  loss(0, 0);
  const auto gradient = values_of(layer->backward(seeds.view()));
  for (std::int64_t i = 0; i < 6; ++i) {
    EXPECT_NEAR(gradient[static_cast<std::size_t>(i)],
                (loss(i, 1e-5) - loss(i, -1e-5)) / 2e-5, 1e-9);
  }
}

TEST(DropConnect, DrawsOneMaskPerSampleAndSumsTheirGradients) {
  const auto layer = builtin({.layer = "drop_connect", .samples = 4});
  Tensor weight = counting(DType::kFloat32, {2, 3});
  const TensorView output = layer->forward({.input = weight.view()});
  EXPECT_EQ(output.shape, (Shape{4, 2, 3}));
  const auto y = values_of(output);
  const Tensor ones = filled(DType::kFloat32, {4, 2, 3}, 1);
  const auto gradient = values_of(layer->backward(ones.view()));
  for (std::size_t i = 0; i < 6; ++i) {
    const auto w = static_cast<double>(i + 1);
    double sum = 0;
    for (std::size_t s = 0; s < 4; ++s) {
      EXPECT_THAT(y[6 * s + i], AnyOf(0, 2 * w));
      sum += y[6 * s + i] / w;
    }
    EXPECT_EQ(gradient[i], sum);
  }
}

TEST(ReferenceLayers, DrawOneWordPerDecisionEvenAtZeroAndOne) {
  for (const Law& law : laws()) {
    const auto make = reference::find_rule(law.layer);
    if (make == nullptr) continue;
    Tensor input = counting(DType::kFloat32, shape_for(law.layer));
    Tensor output(DType::kFloat32, input.shape());
    for (const double drop : {0.0, .3, 1.0}) {
      const LayerConfig config{.layer = std::string(law.layer),
                               .drop_probability = drop,
                               .shared_axes = {1}};
      reference::MaskedLayer layer(config, make(config));
      layer.forward(input.view(), false, output.view());
      EXPECT_EQ(layer.drawn(), 0U) << law.layer;
      layer.forward(input.view(), true, output.view());
      EXPECT_EQ(static_cast<std::int64_t>(layer.drawn()),
                testing::words_a_call(config, input.shape()))
          << law.layer;
    }
  }
}

TEST(ReferenceLayers, DrawOneWordPerOutputElementWhereTheyTransformFirst) {
  Tensor input = counting(DType::kFloat32, {2, 3});
  Tensor output(DType::kFloat32, {5, 2, 3});
  reference::DropConnect connect({.layer = "drop_connect", .samples = 5});
  connect.forward(input.view(), true, output.view());
  EXPECT_EQ(connect.drawn(), 30U);
  reference::AttentionDropout attention({.layer = "attention_dropout"});
  attention.forward(input.view(), true, input.view());
  EXPECT_EQ(attention.drawn(), 6U);
}

TEST(ReferenceLayers, AreTheIdentityAtZeroAndNothingAtOne) {
  const double infinity = std::numeric_limits<double>::infinity();
  for (const Law& law : laws()) {
    if (law.base == Base::kEvaluation) continue;
    Tensor input = counting(DType::kFloat32, shape_for(law.layer));
    input.view().set(1, -0.0);
    input.view().set(2, infinity);
    const std::string layer(law.layer);
    const auto same = builtin({.layer = layer, .drop_probability = 0})
                          ->forward({.input = input.view()})
                          .value(1);
    EXPECT_TRUE(same == 0 && std::signbit(same)) << layer;
    if (law.options.at_one == AtOne::kFormula ||
        law.options.at_one == AtOne::kError) {
      continue;
    }
    const auto nothing = builtin({.layer = layer, .drop_probability = 1});
    EXPECT_THAT(values_of(nothing->forward({.input = input.view()})), Each(0))
        << layer;
    EXPECT_THAT(values_of(nothing->backward(
                    filled(DType::kFloat32, input.shape(), 1).view())),
                Each(0))
        << layer;
  }
}

// 0 * infinity is NaN; the layers select instead of multiplying.
TEST(ReferenceLayers, DropNonFiniteValuesCleanly) {
  const auto layer = builtin({.layer = "dropout"});
  Tensor input =
      filled(DType::kFloat32, {256}, std::numeric_limits<double>::infinity());
  for (const double y : values_of(layer->forward({.input = input.view()}))) {
    EXPECT_THAT(y, AnyOf(0, std::numeric_limits<double>::infinity()));
  }
}

TEST(ReferenceLayers, TakeEmptyTensorsAndScalars) {
  for (const std::string layer : {"dropout", "alpha_dropout"}) {
    Tensor scalar = counting(DType::kFloat32, {});
    EXPECT_EQ(
        builtin({.layer = layer})->forward({.input = scalar.view()}).shape,
        Shape{});
  }
  for (const Law& law : laws()) {
    Shape shape = shape_for(law.layer);
    shape[1] = 0;
    Tensor empty(DType::kFloat32, shape);
    const auto layer = builtin({.layer = std::string(law.layer)});
    for (const bool training : {true, false}) {
      EXPECT_EQ(
          layer->forward({.input = empty.view(), .training = training}).size(),
          0)
          << law.layer;
    }
    EXPECT_EQ(layer->backward(empty.view()).size(), 0) << law.layer;
  }
}

TEST(ReferenceLayers, RefuseWrongRanksByName) {
  Tensor flat(DType::kFloat32, {4});
  for (const Law& law : laws()) {
    if (law.minimum_rank < 2) continue;
    try {
      builtin({.layer = std::string(law.layer)})
          ->forward({.input = flat.view()});
      ADD_FAILURE() << law.layer << " took rank 1";
    } catch (const LayerError& error) {
      EXPECT_THAT(error.what(), HasSubstr(std::string(law.layer)));
      EXPECT_THAT(error.what(), HasSubstr("rank 1"));
    }
  }
}

TEST(ReferenceLayers, RefuseAGradientOfAnotherShape) {
  const auto layer = builtin({.layer = "dropout"});
  Tensor input = counting(DType::kFloat32, {4});
  Tensor gradient(DType::kFloat32, {5});
  EXPECT_THROW(layer->backward(gradient.view()), LayerError);
  layer->forward({.input = input.view()});
  EXPECT_THROW(layer->backward(gradient.view()), LayerError);
}

}  // namespace
}  // namespace dropcheck::impl
