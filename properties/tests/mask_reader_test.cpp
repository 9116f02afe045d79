// Masks are read back from what a layer returned, and a reading that cannot be
// trusted says so.
//
// Layers are simulated on the oracle's own input: element i of call t is
// dropped where a keyed word says so, and the rest is kept in the arithmetic
// under test. 20 calls of 1500 elements at p = 0.1 hold 3000 drops.
#include "mask_reader.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "dropcheck/impl/random_stream.hpp"
#include "oracle_input.hpp"

namespace dropcheck::properties {
namespace {

using impl::DType;
using impl::LayerConfig;
using impl::Tensor;

constexpr std::int64_t kElements = 1500;

bool dropped(std::uint64_t call, std::int64_t i, double drop) {
  const auto word = impl::keyed_word(call, static_cast<std::uint64_t>(i));
  return std::ldexp(static_cast<double>(word), -64) < drop;
}

struct Simulated {
  LayerConfig config;
  Tensor input;
  std::vector<Tensor> outputs;

  MaskReader reader() const {
    return MaskReader(*impl::find_law(config.layer), config, input, outputs);
  }
  /// Whether the drop bits of every call are those that were drawn.
  void expect_masks_read(const MaskReader& reader) const {
    std::vector<std::uint64_t> words(kElements / 64 + 1);
    for (std::uint64_t call = 0; call < outputs.size(); ++call) {
      reader.read(outputs[call].bytes(), words.data());
      for (std::int64_t i = 0; i < kElements; ++i) {
        const bool bit =
            ((words[static_cast<std::size_t>(i / 64)] >> (i % 64)) & 1U) != 0;
        ASSERT_EQ(bit, dropped(call, i, config.drop_probability)) << i;
      }
    }
  }
};

using Value = std::function<double(double x)>;

Simulated simulate(const LayerConfig& config, const Value& kept,
                   const Value& fill) {
  Simulated result{
      config,
      make_input(*impl::find_law(config.layer), config, {kElements}, 3),
      {}};
  for (std::uint64_t call = 0; call < 20; ++call) {
    Tensor output(config.dtype, {kElements});
    for (std::int64_t i = 0; i < kElements; ++i) {
      const double x = result.input.view().value(i);
      output.view().set(
          i, dropped(call, i, config.drop_probability) ? fill(x) : kept(x));
    }
    result.outputs.push_back(std::move(output));
  }
  return result;
}

LayerConfig dropout(DType dtype = DType::kFloat32) {
  return {.layer = "dropout", .drop_probability = 0.1, .dtype = dtype};
}

Value times(double scale) {
  return [scale](double x) { return x * scale; };
}

Value constant(double value) {
  return [value](double) { return value; };
}

TEST(MaskReader, ReadsTheMaskOfARightLayerInEveryDtype) {
  for (const DType dtype :
       {DType::kFloat64, DType::kFloat32, DType::kFloat16, DType::kBFloat16}) {
    // As PyTorch does it: 1/keep rounded to the dtype.
    const double scale = impl::rounded(1 / 0.9, dtype);
    const Simulated layer = simulate(dropout(dtype), times(scale), constant(0));
    const MaskReader reader = layer.reader();
    EXPECT_TRUE(reader.exact()) << impl::name_of(dtype);
    EXPECT_TRUE(reader.readable());
    EXPECT_TRUE(reader.any_dropped());
    EXPECT_EQ(reader.dropped_value(), 0);
    EXPECT_FALSE(reader.misfit());
    layer.expect_masks_read(reader);
    std::vector<std::uint64_t> words(kElements / 64 + 1);
    EXPECT_EQ(reader.read(layer.outputs[0].bytes(), words.data()),
              reader.size());
  }
}

// x * 0 has the sign of x.
TEST(MaskReader, TakesNegativeZeroForDropped) {
  const Simulated layer =
      simulate(dropout(), times(1 / 0.9), [](double x) { return x * 0; });
  const MaskReader reader = layer.reader();
  EXPECT_TRUE(reader.exact());
  layer.expect_masks_read(reader);
}

TEST(MaskReader, ReadsAlphaDropout) {
  const LayerConfig config{.layer = "alpha_dropout", .drop_probability = 0.1};
  const impl::Affine map =
      impl::affine(*impl::find_law("alpha_dropout"), config);
  const Simulated layer = simulate(
      config,
      [map](double x) {
        return static_cast<double>(static_cast<float>(x) *
                                       static_cast<float>(map.a) +
                                   static_cast<float>(map.b));
      },
      constant(map.dropped_value()));
  const MaskReader reader = layer.reader();
  EXPECT_TRUE(reader.exact());
  EXPECT_EQ(reader.dropped_value(),
            impl::rounded(map.dropped_value(), DType::kFloat32));
  layer.expect_masks_read(reader);
}

// A wrong layer is still read, so that the report can say what it does.
TEST(MaskReader, LearnsSlopeAndFillOfAWrongLayer) {
  for (const double slope : {1.0, 1 / 0.81, 10.0}) {
    for (const double fill : {0.0, -1.5}) {
      const Simulated layer = simulate(dropout(), times(slope), constant(fill));
      const MaskReader reader = layer.reader();
      EXPECT_FALSE(reader.exact());
      EXPECT_TRUE(reader.misfit());
      EXPECT_TRUE(reader.readable());
      EXPECT_TRUE(reader.any_dropped());
      EXPECT_EQ(reader.dropped_value(), fill);
      EXPECT_NEAR(reader.line().slope, slope, 1e-5 * slope);
      EXPECT_NEAR(reader.line().offset, 0, 1e-5 * slope);
      layer.expect_masks_read(reader);
    }
  }
}

TEST(MaskReader, DoesNotTakeAScaleThreeUnitsOffForExact) {
  const double scale =
      impl::rounded(1 / 0.9, DType::kFloat32) + 3 * std::ldexp(1.0, -23);
  const Simulated layer = simulate(dropout(), times(scale), constant(0));
  const MaskReader reader = layer.reader();
  EXPECT_FALSE(reader.exact());
  EXPECT_GT(reader.largest_error_ulp(), 2);
  layer.expect_masks_read(reader);
}

TEST(MaskReader, SeesNoDropInALayerThatDropsNothing) {
  LayerConfig config = dropout();
  Simulated layer = simulate(config, times(1 / 0.9), times(1 / 0.9));
  const MaskReader reader = layer.reader();
  EXPECT_TRUE(reader.exact());
  EXPECT_FALSE(reader.any_dropped());
  std::vector<std::uint64_t> words(kElements / 64 + 1);
  reader.read(layer.outputs[0].bytes(), words.data());
  EXPECT_EQ(popcount(words.data(), words.size()), 0u);
}

TEST(MaskReader, DoesNotPassNaN) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Simulated everywhere =
      simulate(dropout(), constant(nan), constant(nan));
  const MaskReader reader = everywhere.reader();
  EXPECT_FALSE(reader.exact());
  EXPECT_FALSE(reader.readable());
  EXPECT_TRUE(reader.misfit());
  EXPECT_FALSE(reader.follows_law(0, nan));

  const Simulated kept = simulate(dropout(), constant(nan), constant(0));
  EXPECT_FALSE(kept.reader().exact());
  EXPECT_TRUE(kept.reader().misfit());
  const Simulated drops = simulate(dropout(), times(1 / 0.9), constant(nan));
  EXPECT_FALSE(drops.reader().exact());
  EXPECT_TRUE(drops.reader().misfit());
}

// Calibration sees 20 calls; a value that is wrong later must still be seen.
RC_GTEST_PROP(MaskReader, NamesTheFirstWrongElementOfALaterCall, ()) {
  static const Simulated layer =
      simulate(dropout(), times(1 / 0.9), constant(0));
  static const MaskReader reader = layer.reader();
  const auto wrong = *rc::gen::inRange<std::int64_t>(0, kElements).as("wrong");
  const auto value = *rc::gen::element(std::nan(""), 0.123,
                                       std::numeric_limits<double>::infinity())
                          .as("value");
  Tensor output = layer.outputs.front();
  output.view().set(wrong, value);
  std::vector<std::uint64_t> words(kElements / 64 + 1);
  RC_ASSERT(reader.read(output.bytes(), words.data()) ==
            static_cast<std::size_t>(wrong));
  RC_ASSERT(!reader.follows_law(static_cast<std::size_t>(wrong), value));
}

// What the mask is read from must not hide it.
TEST(OracleInput, HasNoZeroAndKeepsAwayFromTheFill) {
  for (const impl::Law& law : impl::laws()) {
    for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) {
      const LayerConfig config{.layer = std::string(law.layer),
                               .drop_probability = 0.1,
                               .dtype = dtype};
      const double fill = impl::affine(law, config).c;
      const Tensor input = make_input(law, config, {5000}, 1);
      int negative = 0;
      for (std::int64_t i = 0; i < input.size(); ++i) {
        const double x = input.view().value(i);
        ASSERT_TRUE(std::isfinite(x));
        ASSERT_NE(x, 0);
        ASSERT_TRUE(fill == 0 || std::abs(x - fill) >= 0.1) << x;
        negative += x < 0 ? 1 : 0;
      }
      EXPECT_GT(negative, 2000);
      EXPECT_LT(negative, 3000);
    }
  }
}

}  // namespace
}  // namespace dropcheck::properties
