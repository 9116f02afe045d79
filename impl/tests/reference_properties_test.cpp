// Exact claims about every reference layer, for generated configurations. The
// expected values are computed from the law, not from the layer's own code.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "dropcheck/impl/law.hpp"
#include "support.hpp"

namespace dropcheck::impl {
namespace {

using testing::builtin;
using testing::values_of;

struct Case {
  LayerConfig config;
  Tensor input;
  std::uint64_t seed = 0;
};

int in_range(int first, int last, const char* name) {
  return *rc::gen::inRange(first, last + 1).as(name);
}

double any_drop() {
  static const std::vector<double> kSpecial{
      0,           1,       .5,
      1 - 0x1p-53, 0x1p-60, std::numeric_limits<double>::denorm_min()};
  if (in_range(0, 2, "special drop probability") == 0) {
    return *rc::gen::elementOf(kSpecial).as("drop probability");
  }
  return in_range(0, 1000, "drop probability in thousandths") / 1000.0;
}

Shape any_shape(const Law& law) {
  const int rank =
      in_range(law.minimum_rank, std::min(law.maximum_rank, 5), "rank");
  Shape shape;
  for (int axis = 0; axis < rank; ++axis) {
    shape.push_back(in_range(0, 12, "extent") % 6);
  }
  return shape;
}

Tensor any_tensor(DType dtype, const Shape& shape) {
  Tensor tensor(dtype, shape);
  for (std::int64_t i = 0; i < tensor.size(); ++i) {
    tensor.view().set(i, in_range(-160, 160, "sixteenths") / 16.0);
  }
  return tensor;
}

Case any_case(const Law& law) {
  LayerConfig config{.layer = std::string(law.layer)};
  config.drop_probability = any_drop();
  if (law.options.at_one == AtOne::kError && config.drop_probability == 1) {
    config.drop_probability = .5;
  }
  config.dtype = static_cast<DType>(in_range(0, 3, "dtype"));
  config.scale_by_keep = in_range(0, 1, "scale by keep") == 1;
  config.channels_last = in_range(0, 1, "channels last") == 1;
  if (law.layer == "drop_connect") config.samples = in_range(0, 3, "samples");
  const Shape shape = any_shape(law);
  // A measured scale has tests of its own (drop_block_test).
  config.block = {in_range(1, 7, "block size"), in_range(0, 1, "map") == 1,
                  in_range(0, 1, "coupled") == 1, in_range(0, 1, "gamma") == 1,
                  true};
  if (law.unit == Unit::kSharedAxes) {
    for (int axis = 0; axis < static_cast<int>(shape.size()); ++axis) {
      if (in_range(0, 1, "shared") == 1) config.shared_axes.push_back(axis);
    }
  }
  return {config, any_tensor(config.dtype, shape),
          static_cast<std::uint64_t>(in_range(0, 1000000, "seed"))};
}

/// a * x + b as the dtype's arithmetic has it.
double kept(double x, const Affine& map, DType dtype) {
  if (map.a == 1 && map.b == 0) return x;
  if (dtype == DType::kFloat64)
    return map.b == 0 ? map.a * x : map.a * x + map.b;
  const auto slope = static_cast<float>(map.a);
  const auto offset = static_cast<float>(map.b);
  const float product = static_cast<float>(x) * slope;
  return rounded(static_cast<double>(map.b == 0 ? product : product + offset),
                 dtype);
}

bool same_bits(double one, double other) {
  return one == other && std::signbit(one) == std::signbit(other);
}

/// The mask read back from an output, unit by unit: 1 kept, 0 dropped, 2 if
/// both would give the same. Fails where a value is neither, or units differ.
std::vector<int> read_mask(const Law& law, const Case& test,
                           const std::vector<double>& base,
                           const TensorView& output) {
  const Affine map = affine(law, test.config);
  const double dropped = rounded(map.dropped_value(), test.config.dtype);
  const auto units = unit_of_element(law, test.config, output.shape);
  std::vector<int> mask(units.size(), 2);
  for (std::size_t i = 0; i < units.size(); ++i) {
    const double y = output.value(static_cast<std::int64_t>(i));
    const bool is_kept = same_bits(y, kept(base[i], map, test.config.dtype));
    const bool is_dropped = same_bits(y, dropped);
    RC_ASSERT(is_kept || is_dropped);
    if (is_kept == is_dropped || units[i] == kNoUnit) continue;
    int& unit = mask[units[i]];
    RC_ASSERT(unit == 2 || unit == static_cast<int>(is_kept));
    unit = static_cast<int>(is_kept);
  }
  return mask;
}

/// What the mask multiplies.
std::vector<double> base_of(Layer& layer, const Case& test) {
  return values_of(
      layer.forward({.input = test.input.view(), .training = false}));
}

class EveryLaw : public ::testing::TestWithParam<Law> {
 protected:
  void check(void (*property)(const Law&)) {
    EXPECT_TRUE(rc::check([&] { property(GetParam()); }));
  }
};

INSTANTIATE_TEST_SUITE_P(Reference, EveryLaw,
                         ::testing::ValuesIn(laws().begin(), laws().end()),
                         [](const auto& each) {
                           return std::string(each.param.layer);
                         });

TEST_P(EveryLaw, GivesKeptOrDroppedValuesConstantOverUnits) {
  if (GetParam().factor != Factor::kMask) return;  // gaussian_dropout_test
  check([](const Law& law) {
    const Case test = any_case(law);
    const auto layer = builtin(test.config);
    const auto base = base_of(*layer, test);
    layer->reseed(test.seed);
    read_mask(law, test, base, layer->forward({.input = test.input.view()}));
  });
}

TEST_P(EveryLaw, IsTheIdentityAtEvaluation) {
  check([](const Law& law) {
    const Case test = any_case(law);
    if (law.base == Base::kEvaluation) return;
    const auto layer = builtin(test.config);
    layer->forward({.input = test.input.view()});
    const TensorView output =
        layer->forward({.input = test.input.view(), .training = false});
    if (test.input.size() == 0) return;
    RC_ASSERT(std::memcmp(output.data, test.input.bytes(),
                          test.input.byte_count()) == 0);
  });
}

TEST_P(EveryLaw, UsesTheForwardMaskInTheGradient) {
  if (GetParam().factor != Factor::kMask) return;  // gaussian_dropout_test
  check([](const Law& law) {
    const Case test = any_case(law);
    if (law.base == Base::kEvaluation) return;
    const auto layer = builtin(test.config);
    layer->reseed(test.seed);
    const TensorView output = layer->forward({.input = test.input.view()});
    const auto mask =
        read_mask(law, test, values_of(test.input.view()), output);
    const auto units = unit_of_element(law, test.config, output.shape);
    const Tensor grad = any_tensor(test.config.dtype, output.shape);
    const TensorView result = layer->backward(grad.view());
    const Affine map{.a = affine(law, test.config).a};
    for (std::size_t i = 0; i < units.size(); ++i) {
      if (units[i] == kNoUnit || mask[units[i]] == 2) continue;
      const auto index = static_cast<std::int64_t>(i);
      const double g = grad.view().value(index);
      RC_ASSERT(result.value(index) ==
                (mask[units[i]] == 1 ? kept(g, map, test.config.dtype) : 0));
    }
  });
}

TEST_P(EveryLaw, RepeatsItsMaskAfterReseedingAndStacksCalls) {
  check([](const Law& law) {
    const Case test = any_case(law);
    const auto layer = builtin(test.config);
    const auto other = builtin(test.config);
    layer->reseed(test.seed);
    other->reseed(test.seed);
    const auto stacked =
        values_of(layer->forward({.input = test.input.view(), .repeat = 2}));
    auto one_by_one = values_of(other->forward({.input = test.input.view()}));
    for (const double y :
         values_of(other->forward({.input = test.input.view()}))) {
      one_by_one.push_back(y);
    }
    RC_ASSERT(stacked == one_by_one);
  });
}

TEST_P(EveryLaw, ReadsAndWritesThroughStrides) {
  check([](const Law& law) {
    const Case test = any_case(law);
    // The same values with a gap after every element and the axes reversed.
    TensorView compact = test.input.view();
    Tensor room(test.config.dtype, {2 * test.input.size()});
    TensorView gaps = compact;
    gaps.data = room.view().data;
    std::int64_t stride = 2;
    for (std::size_t axis = 0; axis < gaps.shape.size(); ++axis) {
      gaps.strides[axis] = stride;
      stride *= gaps.shape[axis];
    }
    copy(compact, gaps);
    const auto layer = builtin(test.config);
    const auto other = builtin(test.config);
    RC_ASSERT(values_of(layer->forward({.input = compact})) ==
              values_of(other->forward({.input = gaps})));
    if (!law.has_in_place) return;
    LayerConfig in_place = test.config;
    in_place.in_place = true;
    const auto third = builtin(in_place);
    layer->reseed(test.seed);
    third->reseed(test.seed);
    const TensorView result = third->forward({.input = gaps});
    RC_ASSERT((result.data == gaps.data));
    RC_ASSERT(values_of(layer->forward({.input = compact})) ==
              values_of(result));
  });
}

TEST_P(EveryLaw, RefusesWhatIsNoProbability) {
  check([](const Law& law) {
    const double outside = in_range(1, 1000, "thousandths outside") / 1000.0;
    for (const double drop :
         {-outside, 1 + outside, std::numeric_limits<double>::quiet_NaN()}) {
      const LayerConfig config{.layer = std::string(law.layer),
                               .drop_probability = drop};
      RC_ASSERT_THROWS_AS(builtin(config), LayerError);
    }
  });
}

}  // namespace
}  // namespace dropcheck::impl
