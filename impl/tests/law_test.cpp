#include "dropcheck/impl/law.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <stdexcept>

#include "dropcheck/impl/registry.hpp"
#include "dropcheck/impl/selu.hpp"

namespace dropcheck::impl {
namespace {

using ::testing::ElementsAre;

const Law& law(std::string_view layer) { return *find_law(layer); }

Shape units(std::string_view layer, const Shape& shape,
            const LayerConfig& config = {}) {
  return unit_shape(law(layer), config, shape);
}

TEST(Laws, KeepTheOrderOfTheTable) {
  std::vector<std::string_view> names;
  for (const Law& each : laws()) names.push_back(each.layer);
  EXPECT_THAT(
      names, ElementsAre("dropout", "dropout1d", "dropout2d", "dropout3d",
                         "alpha_dropout", "feature_alpha_dropout", "drop_path",
                         "stochastic_depth", "broadcast_dropout",
                         "attention_dropout", "drop_connect", "spatial_dropout",
                         "variational_dropout", "token_dropout", "drop_block2d",
                         "drop_block3d", "gaussian_dropout"));
}

TEST(Laws, FindNothingUnderAnUnknownName) {
  EXPECT_EQ(find_law("dropuot"), nullptr);
}

// Rank rules of PyTorch's documentation.
TEST(UnitShape, ReadsTheAxesAsPyTorchDocumentsThem) {
  EXPECT_EQ(units("dropout", {2, 3}), (Shape{2, 3}));
  EXPECT_EQ(units("dropout", {}), Shape{});
  EXPECT_EQ(units("dropout1d", {2, 3, 4}), (Shape{2, 3, 1}));
  EXPECT_EQ(units("dropout1d", {3, 4}), (Shape{3, 1}));
  EXPECT_EQ(units("dropout2d", {2, 3, 4, 5}), (Shape{2, 3, 1, 1}));
  EXPECT_EQ(units("dropout2d", {2, 3, 4}), (Shape{2, 3, 1}));
  EXPECT_EQ(units("dropout3d", {2, 3, 4, 5, 6}), (Shape{2, 3, 1, 1, 1}));
  EXPECT_EQ(units("dropout3d", {3, 4, 5, 6}), (Shape{3, 1, 1, 1}));
  EXPECT_EQ(units("feature_alpha_dropout", {2, 3, 4}), (Shape{2, 3, 1}));
  EXPECT_EQ(units("drop_path", {2, 3, 4}), (Shape{2, 1, 1}));
  EXPECT_EQ(units("stochastic_depth", {2, 3}), (Shape{1, 1}));
}

TEST(UnitShape, FollowsTheOptions) {
  EXPECT_EQ(units("dropout2d", {2, 4, 5, 3}, {.channels_last = true}),
            (Shape{2, 1, 1, 3}));
  EXPECT_EQ(units("dropout1d", {4, 3}, {.channels_last = true}), (Shape{1, 3}));
  EXPECT_EQ(units("broadcast_dropout", {2, 3, 4}, {.shared_axes = {0, 2}}),
            (Shape{1, 3, 1}));
  EXPECT_EQ(units("drop_connect", {8, 3, 4}, {.samples = 8}), (Shape{8, 3, 4}));
  EXPECT_EQ(units("spatial_dropout", {2, 4, 3}, {.channels_last = true}),
            (Shape{2, 1, 3}));
  EXPECT_EQ(units("spatial_dropout", {2, 3, 4, 5, 6}), (Shape{2, 3, 1, 1, 1}));
  EXPECT_EQ(units("variational_dropout", {2, 3, 4}), (Shape{2, 1, 4}));
  EXPECT_EQ(units("variational_dropout", {3, 2, 4}, {.shared_axes = {0}}),
            (Shape{1, 2, 4}));
  EXPECT_EQ(units("token_dropout", {2, 3, 4}), (Shape{2, 3, 1}));
  EXPECT_EQ(units("token_dropout", {2, 4, 3}, {.shared_axes = {1}}),
            (Shape{2, 1, 3}));
}

TEST(UnitShape, RefusesRanksWithoutMeaning) {
  EXPECT_THROW(units("dropout1d", {2, 3, 4, 5}), std::invalid_argument);
  EXPECT_THROW(units("dropout2d", {2, 3}), std::invalid_argument);
  EXPECT_THROW(units("dropout3d", {2, 3, 4}), std::invalid_argument);
  EXPECT_THROW(units("feature_alpha_dropout", {2}), std::invalid_argument);
  EXPECT_THROW(units("drop_path", {}), std::invalid_argument);
  EXPECT_THROW(units("spatial_dropout", {2, 3}), std::invalid_argument);
  EXPECT_THROW(units("variational_dropout", {2, 3}), std::invalid_argument);
  EXPECT_THROW(units("token_dropout", {2, 3, 4, 5}), std::invalid_argument);
  EXPECT_THROW(units("broadcast_dropout", {2, 3}, {.shared_axes = {2}}),
               std::invalid_argument);
  EXPECT_THROW(units("broadcast_dropout", {2, 3}, {.shared_axes = {-1}}),
               std::invalid_argument);
}

TEST(UnitShape, NamesLayerRankAndRuleWhenItRefuses) {
  try {
    units("dropout1d", {2, 3, 4, 5});
    FAIL() << "rank 4 was accepted";
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(),
                 "dropout1d got an input of rank 4 (2x3x4x5), but takes rank "
                 "2 to 3");
  }
}

TEST(UnitOfElement, NumbersUnitsInRowMajorOrder) {
  EXPECT_THAT(unit_of_element(law("dropout2d"), {}, {2, 2, 1, 3}),
              ElementsAre(0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3));
  EXPECT_THAT(
      unit_of_element(law("broadcast_dropout"), {.shared_axes = {0}}, {2, 3}),
      ElementsAre(0, 1, 2, 0, 1, 2));
  EXPECT_THAT(unit_of_element(law("dropout"), {}, {}), ElementsAre(0));
  EXPECT_THAT(unit_of_element(law("dropout"), {}, {2, 0}), ElementsAre());
}

TEST(OutputShape, GainsASampleAxisForDropConnectOnly) {
  EXPECT_EQ(output_shape(law("drop_connect"), {.samples = 8}, {3, 4}),
            (Shape{8, 3, 4}));
  EXPECT_EQ(output_shape(law("drop_connect"), {}, {3, 4}), (Shape{3, 4}));
  EXPECT_EQ(output_shape(law("dropout"), {.samples = 8}, {3, 4}),
            (Shape{3, 4}));
  EXPECT_THROW(output_shape(law("drop_connect"), {.samples = -1}, {3, 4}),
               std::invalid_argument);
}

// a, b and the dropped value to 20 digits: STATISTICS.md, 2.c F3.
TEST(AffineMap, KeepsMeanAndVarianceOfSelu) {
  const Affine tenth = affine(law("alpha_dropout"), {.drop_probability = .1});
  EXPECT_DOUBLE_EQ(tenth.a, 0.92128451614971148273);
  EXPECT_DOUBLE_EQ(tenth.b, 0.16197097005757022794);
  EXPECT_NEAR(tenth.dropped_value(), -1.4577387305181320514, 1e-15);
  const Affine most = affine(law("alpha_dropout"), {.drop_probability = .9});
  EXPECT_DOUBLE_EQ(most.a, 1.6261082760401306300);
  EXPECT_NEAR(most.dropped_value(), -0.28588598882526179989, 1e-15);
}

TEST(AffineMap, DividesByKeep) {
  const Affine fifth = affine(law("dropout"), {.drop_probability = .2});
  EXPECT_EQ(fifth.a, 1.25);
  EXPECT_EQ(fifth.b, 0);
  EXPECT_EQ(fifth.dropped_value(), 0);
  EXPECT_EQ(
      affine(law("drop_path"), {.drop_probability = .2, .scale_by_keep = false})
          .a,
      1);
}

TEST(AffineMap, IsTheIdentityAtZeroAndNothingAtOne) {
  for (const Law& each : laws()) {
    const Affine none = affine(each, {.drop_probability = 0});
    EXPECT_EQ(none.a, 1) << each.layer;
    EXPECT_EQ(none.b, 0) << each.layer;
    const Affine all = affine(each, {.drop_probability = 1});
    EXPECT_EQ(all.kept_slope(), 0) << each.layer;
    EXPECT_EQ(all.kept_offset(), 0) << each.layer;
    EXPECT_EQ(all.dropped_value(), 0) << each.layer;
  }
}

TEST(AffineMap, RefusesWhatIsNoProbability) {
  for (const double drop :
       {-0.1, 1.1, std::numeric_limits<double>::quiet_NaN()}) {
    EXPECT_THROW(affine(law("dropout"), {.drop_probability = drop}),
                 std::domain_error);
  }
}

// The derivation in selu.hpp, evaluated in double.
TEST(Selu, HasTheConstantsOfItsFixedPoint) {
  using std::numbers::e;
  using std::numbers::pi;
  const double e1 = std::erfc(1 / std::sqrt(2.0));
  const double e2 = std::erfc(std::sqrt(2.0));
  const double root = std::sqrt(e);
  EXPECT_NEAR(kSeluAlpha, -std::sqrt(2 / pi) / (e1 * root - 1), 1e-14);
  const double sum =
      2 * e2 * e * e + pi * e1 * e1 * e - 2 * (2 + pi) * e1 * root + pi + 2;
  EXPECT_NEAR(kSeluLambda, (1 - e1 * root) * std::sqrt(2 * pi) / std::sqrt(sum),
              1e-14);
  EXPECT_DOUBLE_EQ(kSeluSaturation, -kSeluLambda * kSeluAlpha);
}

TEST(Selu, SaturatesAndHasItsDerivative) {
  EXPECT_DOUBLE_EQ(selu(-800), kSeluSaturation);
  EXPECT_EQ(selu(2), 2 * kSeluLambda);
  EXPECT_NEAR(selu_derivative(-.5),
              (selu(-.5 + 1e-6) - selu(-.5 - 1e-6)) / 2e-6, 1e-9);
}

TEST(LawOf, KeepsASpatialDropoutToItsAxes) {
  SubjectEntry entry;
  entry.layer = "spatial_dropout";
  EXPECT_NO_THROW(require_rank(law_of(entry), {2, 3, 4}));
  entry.spatial_axes = 2;
  EXPECT_NO_THROW(require_rank(law_of(entry), {2, 3, 4, 5}));
  EXPECT_THROW(require_rank(law_of(entry), {2, 3, 4}), std::invalid_argument);
  EXPECT_THROW(require_rank(law_of(entry), {2, 3, 4, 5, 6}),
               std::invalid_argument);
  entry.layer = "dropout2d";  // has an unbatched rank
  EXPECT_NO_THROW(require_rank(law_of(entry), {2, 3, 4}));
}

TEST(DescribeConfig, NamesOnlyWhatDiffers) {
  EXPECT_EQ(describe({.drop_probability = .1}), "p=0.1,f32");
  EXPECT_EQ(describe({.drop_probability = .5,
                      .dtype = DType::kBFloat16,
                      .in_place = true,
                      .channels_last = true,
                      .scale_by_keep = false,
                      .shared_axes = {0, 2},
                      .samples = 8}),
            "p=0.5,bf16,in_place,channels_last,unscaled,shared=0+2,samples=8");
}

}  // namespace
}  // namespace dropcheck::impl
