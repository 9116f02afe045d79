// Which rounding a layer uses is found bit for bit, so that rounding is never
// taken for bias and bias never for rounding (STATISTICS 2.c F2).
//
// Layers are simulated: kept = the arithmetic of one candidate, computed here
// in float or double by the compiler. Inputs have 2000 random significands of
// the dtype's own length and 7 exponents, so that models that differ by one
// unit in the last place of the scale differ on many of them.
#include "value_model.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "mask_reader.hpp"
#include "oracle_input.hpp"

namespace dropcheck::properties {
namespace {

using impl::DType;
using impl::LayerConfig;
using impl::Tensor;

constexpr DType kDTypes[]{DType::kFloat64, DType::kFloat32, DType::kFloat16,
                          DType::kBFloat16};
constexpr double kDrops[]{0.05, 0.1, 0.3, 0.5, 0.9};

float f32(double x) { return static_cast<float>(x); }

Tensor input_for(const LayerConfig& config) {
  return make_input(*impl::find_law(config.layer), config, {2000}, 7);
}

using Kept = std::function<double(double)>;

std::vector<KeptPair> pairs_of(const Tensor& input, const Kept& kept) {
  std::vector<KeptPair> pairs;
  for (std::int64_t i = 0; i < input.size(); ++i) {
    const double x = input.view().value(i);
    pairs.push_back({x, impl::rounded(kept(x), input.dtype())});
  }
  return pairs;
}

std::string where(const LayerConfig& config) { return impl::describe(config); }

/// Layers that exist: how each computes x / keep.
struct Implementation {
  const char* name;
  std::function<Kept(double keep, DType dtype)> make;
};

const std::vector<Implementation>& implementations() {
  static const std::vector<Implementation> kAll{
      {"scale in f64",
       [](double keep, DType) {
         return [s = 1 / keep](double x) { return x * s; };
       }},
      {"scale in f32",
       [](double keep, DType) {
         return [s = f32(1 / keep)](double x) -> double { return f32(x) * s; };
       }},
      {"scale from a keep probability in f32",
       [](double keep, DType) {
         return
             [s = 1.0F / f32(keep)](double x) -> double { return f32(x) * s; };
       }},
      {"scale in the dtype (PyTorch on the CPU)",
       [](double keep, DType dtype) {
         return
             [s = impl::rounded(1 / keep, dtype)](double x) { return x * s; };
       }},
      {"division in f64",
       [](double keep, DType) {
         return [keep](double x) { return x / keep; };
       }},
      {"division in f32", [](double keep, DType) {
         return [k = f32(keep)](double x) -> double { return f32(x) / k; };
       }}};
  return kAll;
}

TEST(ValueModel, IsFoundBitForBitForEveryDtype) {
  for (const DType dtype : kDTypes) {
    for (const double drop : kDrops) {
      const LayerConfig config{
          .layer = "dropout", .drop_probability = drop, .dtype = dtype};
      const Tensor input = input_for(config);
      for (const Implementation& layer : implementations()) {
        const bool narrow =
            std::string(layer.name).find("f32") != std::string::npos;
        if (dtype == DType::kFloat64 && narrow) continue;
        const auto pairs = pairs_of(input, layer.make(1 - drop, dtype));
        const auto model =
            find_value_model(*impl::find_law("dropout"), config, pairs);
        ASSERT_TRUE(model) << where(config) << " " << layer.name;
        for (const KeptPair& pair : pairs) {
          ASSERT_EQ(model->kept(pair.x, dtype), pair.y)
              << where(config) << " " << layer.name << " as "
              << model->describe();
        }
        EXPECT_NEAR(model->factor() * (1 - drop), 1, 1.0 / 128);
      }
    }
  }
}

// y = a * x + b in f32 with both roundings, and in one (fma).
TEST(ValueModel, FindsTheAffineMapOfAlphaDropout) {
  for (const double drop : kDrops) {
    const LayerConfig config{.layer = "alpha_dropout",
                             .drop_probability = drop};
    const impl::Law& law = *impl::find_law("alpha_dropout");
    const impl::Affine map = impl::affine(law, config);
    const float a = f32(map.a);
    const float b = f32(map.b);
    const Tensor input = input_for(config);
    const auto twice = pairs_of(input, [=](double x) -> double {
      const float product = f32(x) * a;
      return product + b;
    });
    const auto once = pairs_of(
        input, [=](double x) -> double { return std::fma(f32(x), a, b); });
    const auto model = find_value_model(law, config, twice);
    ASSERT_TRUE(model) << drop;
    EXPECT_FALSE(model->fused);
    const auto fused = find_value_model(law, config, once);
    ASSERT_TRUE(fused) << drop;
    EXPECT_TRUE(fused->fused);
    EXPECT_NEAR(fused->slope, map.a, 1e-6);
    EXPECT_NEAR(fused->offset, map.b, 1e-6);
  }
}

// 1/keep is computed in several ways that are one unit apart; three units are
// no rounding any more. A bias of 3e-7 would need 1e15 samples to be seen.
TEST(ValueModel, RefusesAScaleThreeUnitsOff) {
  for (const double drop : {0.1, 0.3, 0.5}) {
    const LayerConfig config{.layer = "dropout", .drop_probability = drop};
    const Tensor input = input_for(config);
    for (const int units : {-3, 3}) {
      const double exact = 1 / (1 - drop);
      const float scale = f32(impl::rounded(exact, DType::kFloat32) +
                              units * ulp_at(exact, DType::kFloat32));
      const auto pairs = pairs_of(
          input, [scale](double x) -> double { return f32(x) * scale; });
      EXPECT_FALSE(find_value_model(*impl::find_law("dropout"), config, pairs))
          << drop << " " << units;
    }
  }
}

TEST(ValueModel, RefusesOneWrongValueAmongMany) {
  const LayerConfig config{.layer = "dropout", .drop_probability = 0.1};
  const Tensor input = input_for(config);
  auto pairs =
      pairs_of(input, [](double x) -> double { return f32(x) * f32(1 / .9); });
  const impl::Law& law = *impl::find_law("dropout");
  ASSERT_TRUE(find_value_model(law, config, pairs));
  pairs.back().y =
      static_cast<double>(std::nextafter(f32(pairs.back().y), 100.0F));
  EXPECT_FALSE(find_value_model(law, config, pairs));
}

TEST(Ulp, IsTheSpacingOfTheDtype) {
  for (const double value : {1.0, 1.999, 2.0, -5.0, 1e-3}) {
    const float next = std::nextafter(f32(std::abs(value)),
                                      std::numeric_limits<float>::infinity());
    EXPECT_EQ(
        ulp_at(value, DType::kFloat32),
        static_cast<double>(next) - static_cast<double>(f32(std::abs(value))));
  }
  EXPECT_EQ(ulp_at(1, DType::kBFloat16), std::ldexp(1.0, -7));
  EXPECT_EQ(ulp_at(1, DType::kFloat16), std::ldexp(1.0, -10));
  EXPECT_EQ(ulp_at(0, DType::kFloat32), 0);
  // Down to numbers that are subnormal, or whose unit is.
  for (const double value : {0x1.8p-1070, -0x1.8p-1010, 3e-320, 1.7e308}) {
    EXPECT_EQ(ulp_at(value, DType::kFloat64),
              std::ldexp(1.0, std::ilogb(value) - 52))
        << value;
  }
}

TEST(Line, GoesThroughPointsOnALine) {
  std::vector<KeptPair> pairs;
  for (int i = -5; i < 9; ++i) pairs.push_back({i * 0.5, i * 1.0 - 3});
  const Line line = fit_line(pairs);
  EXPECT_NEAR(line.slope, 2, 1e-14);
  EXPECT_NEAR(line.offset, -3, 1e-14);
  EXPECT_LT(line.largest_residual, 1e-13);
  EXPECT_EQ(fit_line({}).largest_residual, 0);
}

}  // namespace
}  // namespace dropcheck::properties
