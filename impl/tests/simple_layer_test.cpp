// What a C++ layer must offer, and what becomes of layers that misbehave.
#include "dropcheck/impl/simple_layer.hpp"

#include <gmock/gmock.h>

#include <new>

#include "support.hpp"

namespace dropcheck::impl {
namespace {

using testing::counting;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
using testing::values_of;

/// The least that a layer can be.
struct Doubling {
  void forward(const TensorView& input, bool, const TensorView& output) {
    for (std::int64_t i = 0; i < input.size(); ++i) {
      output.set(i, 2 * input.value(i));
    }
  }
};
static_assert(InProcessLayer<Doubling>);
static_assert(!ReseedableLayer<Doubling> && !DifferentiableLayer<Doubling>);

/// Returns its result; call number `odd_call` has another shape.
struct Returning {
  int odd_call = -1;
  int calls = 0;
  Tensor forward(const TensorView& input, bool) {
    Tensor result(input.dtype, {calls++ == odd_call ? 1 : input.size()});
    for (std::int64_t i = 0; i < result.size(); ++i) {
      result.view().set(i, input.value(i) + calls);
    }
    return result;
  }
};
static_assert(InProcessLayer<Returning> && !WritingLayer<Returning>);
static_assert(!InProcessLayer<int>);

struct Throwing {
  void (*what)();
  void forward(const TensorView&, bool, const TensorView&) { what(); }
  void reseed(std::uint64_t) { what(); }
};

/// Writes `count` elements where the output has room for fewer.
struct Overrunning {
  std::int64_t first;
  std::int64_t count;
  void forward(const TensorView&, bool, const TensorView& output) {
    auto* values = static_cast<float*>(output.data);
    for (std::int64_t i = 0; i < count; ++i) values[first + i] = 1;
  }
  void backward(const TensorView& grad, const TensorView& result) {
    forward(grad, true, result);
  }
};

TEST(SimpleLayer, NeedsNoMoreThanForward) {
  SimpleLayer<Doubling> layer({}, false);
  Tensor input(DType::kFloat32, {2}, {3, 4});
  EXPECT_THAT(values_of(layer.forward({input.view()})),
              ::testing::ElementsAre(6, 8));
  EXPECT_THAT(values_of(layer.forward({input.view(), true, 2})),
              ::testing::ElementsAre(6, 8, 6, 8));
  EXPECT_THROW(layer.reseed(1), NotSupported);
  EXPECT_THROW(layer.backward(input.view()), NotSupported);
}

TEST(SimpleLayer, StacksReturnedResults) {
  SimpleLayer<Returning> layer({}, false);
  Tensor input(DType::kFloat32, {2}, {10, 20});
  EXPECT_THAT(values_of(layer.forward({input.view()})),
              ::testing::ElementsAre(11, 21));
  const TensorView result = layer.forward({input.view(), true, 2});
  EXPECT_EQ(result.shape, (Shape{2, 2}));
  EXPECT_THAT(values_of(result), ::testing::ElementsAre(12, 22, 13, 23));
}

TEST(SimpleLayer, RefusesReturnedResultsOfSeveralShapes) {
  SimpleLayer<Returning> layer({.odd_call = 1}, false);
  Tensor input(DType::kFloat32, {2}, {10, 20});
  EXPECT_THAT(
      [&] {
        layer.forward({input.view(), true, 3});
      },
      ThrowsMessage<LayerError>(
          HasSubstr("f32 2 in one call and f32 1 in another")));
}

TEST(SimpleLayer, RefusesInPlaceWhereTheResultIsReturned) {
  EXPECT_THROW(SimpleLayer<Returning>({}, true), NotSupported);
}

TEST(SimpleLayer, TakesWhateverIsThrownAsARefusal) {
  Tensor input(DType::kFloat32, {2}, {3, 4});
  SimpleLayer<Throwing> number({[] { throw 42; }}, false);
  EXPECT_THAT([&] { number.forward({input.view()}); },
              ThrowsMessage<LayerError>(HasSubstr("no std::exception")));
  EXPECT_THROW(number.reseed(1), LayerError);
  SimpleLayer<Throwing> lacks({[] { throw NotSupported("no"); }}, false);
  EXPECT_THROW(lacks.forward({input.view()}), NotSupported);
  SimpleLayer<Throwing> full({[] { throw std::bad_alloc(); }}, false);
  EXPECT_THROW(full.forward({input.view()}), std::bad_alloc);
}

struct Overrun {
  std::int64_t first;
  std::int64_t count;
  const char* words;
};

class SimpleLayerOverrun : public ::testing::TestWithParam<Overrun> {};

TEST_P(SimpleLayerOverrun, IsAMemoryViolation) {
  SimpleLayer<Overrunning> layer({GetParam().first, GetParam().count}, false);
  Tensor input = counting(DType::kFloat32, {3});
  const auto message =
      ThrowsMessage<MemoryViolation>(::testing::StartsWith(GetParam().words));
  EXPECT_THAT([&] { layer.forward({input.view()}); }, message);
  EXPECT_THAT([&] { layer.forward({input.view(), true, 5}); }, message);
}

INSTANTIATE_TEST_SUITE_P(
    Sides, SimpleLayerOverrun,
    ::testing::Values(Overrun{0, 4, "writes 4 bytes past the end of its out"},
                      Overrun{3, 2, "writes 8 bytes past the end of its out"},
                      Overrun{-1, 2,
                              "writes 4 bytes before the begin of its out"}),
    [](const auto& one) { return "case_" + std::to_string(one.index); });

/// Right forward, one element too many backward.
struct OverrunningBackward {
  void forward(const TensorView&, bool, const TensorView&) {}
  void backward(const TensorView&, const TensorView& result) {
    static_cast<float*>(result.data)[result.size()] = 1;
  }
};

TEST(SimpleLayer, SeesAGradientThatIsTooLong) {
  SimpleLayer<OverrunningBackward> layer({}, false);
  Tensor input = counting(DType::kFloat32, {3});
  layer.forward({input.view()});
  EXPECT_THAT([&] { layer.backward(input.view()); },
              ThrowsMessage<MemoryViolation>(
                  HasSubstr("4 bytes past the end of its gradient")));
}

TEST(GuardedBytes, ReportTheFurthestByte) {
  GuardedBytes bytes(5, 8);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(bytes.data()) % 64, 8U);
  EXPECT_EQ(bytes.damage("it"), std::nullopt);
  bytes.data()[5] = std::byte{0};
  EXPECT_EQ(bytes.damage("it"), "1 byte past the end of it");
  bytes.data()[9] = std::byte{0};
  EXPECT_EQ(bytes.damage("it"), "5 bytes past the end of it");
  bytes.restore();
  EXPECT_EQ(bytes.damage("it"), std::nullopt);
  bytes.data()[-256] = std::byte{0};
  EXPECT_EQ(bytes.damage("it"), "256 bytes before the begin of it");
}

}  // namespace
}  // namespace dropcheck::impl
