#include "dropcheck/impl/layout.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <stdexcept>

#include "support.hpp"

namespace dropcheck::impl {
namespace {

using testing::counting;
using ::testing::ElementsAre;
using ::testing::Optional;
using testing::values_of;

const std::vector<Shape> kShapes = {
    {},        {1},          {7},          {0},          {2, 3},
    {1, 5},    {5, 1},       {2, 0, 3},    {2, 3, 4},    {1, 3, 1},
    {2, 3, 1}, {2, 3, 4, 5}, {1, 3, 4, 5}, {2, 1, 4, 5}, {2, 3, 2, 1, 3, 2}};

constexpr auto kDTypes = {DType::kFloat64, DType::kFloat32, DType::kFloat16,
                          DType::kBFloat16};

template <class F>
void for_all(const F& f) {
  for (const DType dtype : kDTypes) {
    for (const Shape& shape : kShapes) {
      for (const Layout layout : legal_layouts(shape)) {
        SCOPED_TRACE(::testing::Message()
                     << name_of(layout) << " " << to_string(shape) << " "
                     << name_of(dtype));
        f(counting(dtype, shape), layout);
      }
    }
  }
}

TEST(Layout, KeepsEveryValueAtItsLogicalIndex) {
  for_all([](const Tensor& tensor, Layout layout) {
    const LaidOut laid_out(tensor, layout);
    EXPECT_EQ(laid_out.view().shape, tensor.shape());
    EXPECT_EQ(laid_out.damage("it"), std::nullopt);
    if (layout == Layout::kExpanded) return;
    EXPECT_EQ(values_of(laid_out.view()), values_of(tensor.view()));
    EXPECT_EQ(values_of(laid_out.values().view()), values_of(tensor.view()));
  });
}

// Whoever writes all elements has touched nothing else.
TEST(Layout, TakesWritesToEveryElement) {
  for_all([](const Tensor& tensor, Layout layout) {
    const LaidOut laid_out(tensor, layout);
    for (std::int64_t i = 0; i < tensor.size(); ++i) laid_out.view().set(i, 5);
    EXPECT_EQ(laid_out.damage("it"), std::nullopt);
    const auto values = values_of(laid_out.view());
    EXPECT_EQ(std::count(values.begin(), values.end(), 5), tensor.size());
  });
}

TEST(Layout, DiffersFromContiguousWhereItIsLegal) {
  for_all([](const Tensor& tensor, Layout layout) {
    const bool other_strides =
        strides_of(layout, tensor.shape()) != compact_strides(tensor.shape());
    const bool same =
        layout == Layout::kContiguous || layout == Layout::kOffset;
    EXPECT_EQ(other_strides, !same);
    const auto address =
        reinterpret_cast<std::uintptr_t>(LaidOut(tensor, layout).view().data);
    if (!same) return;
    EXPECT_EQ(address % GuardedBytes::kAlignment,
              layout == Layout::kOffset ? size_of(tensor.dtype()) : 0);
  });
}

TEST(Layout, NeedsOnlyTheStridesThatItSays) {
  for_all([](const Tensor& tensor, Layout layout) {
    const LaidOut laid_out(tensor, layout);
    const Shape& strides = laid_out.view().strides;
    const bool negative = std::any_of(strides.begin(), strides.end(),
                                      [](std::int64_t n) { return n < 0; });
    EXPECT_EQ(negative, needed_strides(layout) == Strides::kAny);
    EXPECT_EQ(laid_out.view().compact(),
              needed_strides(layout) == Strides::kCompact);
  });
}

TEST(Layout, HasTheStridesOfItsName) {
  const Shape shape = {2, 3, 4, 5};
  EXPECT_THAT(strides_of(Layout::kTransposed, shape), ElementsAre(1, 2, 6, 24));
  EXPECT_THAT(strides_of(Layout::kSliced, shape), ElementsAre(96, 32, 8, 1));
  EXPECT_THAT(strides_of(Layout::kStepped, shape), ElementsAre(120, 40, 10, 2));
  EXPECT_THAT(strides_of(Layout::kChannelsLast, shape),
              ElementsAre(60, 1, 15, 3));
  EXPECT_THAT(strides_of(Layout::kReversed, shape),
              ElementsAre(-60, -20, -5, -1));
  EXPECT_THAT(strides_of(Layout::kExpanded, shape), ElementsAre(0, 20, 5, 1));
  EXPECT_THAT(strides_of(Layout::kExpanded, {1, 3, 2}), ElementsAre(2, 0, 1));
  EXPECT_THAT(strides_of(Layout::kMaterialised, {4, 1, 5}),
              ElementsAre(5, 4, 1));
}

TEST(Layout, IsRefusedWhereItIsNothingOfItsOwn) {
  const auto legal = [](const Shape& shape) { return legal_layouts(shape); };
  EXPECT_THAT(legal({0, 3}), ElementsAre(Layout::kContiguous));
  EXPECT_THAT(legal({}), ElementsAre(Layout::kContiguous, Layout::kOffset));
  EXPECT_THAT(legal({1, 1}), ElementsAre(Layout::kContiguous, Layout::kOffset));
  EXPECT_THAT(legal({7}), ElementsAre(Layout::kContiguous, Layout::kStepped,
                                      Layout::kOffset, Layout::kReversed,
                                      Layout::kExpanded));
  EXPECT_FALSE(is_legal(Layout::kMaterialised, {2, 3}));
  EXPECT_FALSE(is_legal(Layout::kChannelsLast, {2, 3}));
  EXPECT_FALSE(is_legal(Layout::kChannelsLast, {2, 1, 4}));
  EXPECT_FALSE(is_legal(Layout::kChannelsLast, {2, 3, 1}));
  EXPECT_TRUE(is_legal(Layout::kChannelsLast, {1, 3, 4}));
  EXPECT_THROW(strides_of(Layout::kTransposed, {7}), std::invalid_argument);
}

TEST(Layout, RepeatsTheFirstSliceWhereItIsExpanded) {
  const LaidOut laid_out(counting(DType::kFloat32, {1, 3, 2}),
                         Layout::kExpanded);
  EXPECT_THAT(values_of(laid_out.view()), ElementsAre(1, 2, 1, 2, 1, 2));
}

TEST(Layout, SeesWritesIntoItsGapsAndAround) {
  for (const DType dtype : kDTypes) {
    const Tensor tensor = counting(dtype, {2, 3});
    const auto width = static_cast<std::ptrdiff_t>(size_of(dtype));
    const auto damage = [&](Layout layout, std::ptrdiff_t place) {
      const LaidOut laid_out(tensor, layout);
      store(1, static_cast<std::byte*>(laid_out.view().data) + place * width,
            dtype);
      return laid_out.damage("it");
    };
    EXPECT_THAT(damage(Layout::kSliced, 3),
                Optional(std::string("into the gap after element 2 of it")));
    EXPECT_THAT(damage(Layout::kSliced, 5),
                Optional(std::string("into the gap after element 2 of it")));
    EXPECT_THAT(damage(Layout::kStepped, 1),
                Optional(std::string("into the gap after element 0 of it")));
    EXPECT_THAT(damage(Layout::kSliced, 9),
                Optional(::testing::HasSubstr("past the end of it")));
    EXPECT_THAT(damage(Layout::kOffset, -1),
                Optional(::testing::HasSubstr("before the begin of it")));
    EXPECT_THAT(damage(Layout::kReversed, 1),
                Optional(::testing::HasSubstr("past the end of it")));
    EXPECT_EQ(damage(Layout::kReversed, -5), std::nullopt);
  }
}

TEST(Layout, StaysWhereItIsWhenMoved) {
  LaidOut one(counting(DType::kFloat32, {2, 3}), Layout::kSliced);
  const void* before = one.view().data;
  const LaidOut other = std::move(one);
  EXPECT_EQ(other.view().data, before);
  EXPECT_THAT(values_of(other.view()), ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST(Layout, HasNamesThatInvert) {
  for (const Layout layout : kLayouts) {
    EXPECT_EQ(layout_from_name(name_of(layout)), layout);
  }
  EXPECT_EQ(layout_from_name("diagonal"), std::nullopt);
  for (const Strides strides :
       {Strides::kCompact, Strides::kNonNegative, Strides::kAny}) {
    EXPECT_EQ(strides_from_name(name_of(strides)), strides);
  }
  EXPECT_EQ(strides_from_name("odd"), std::nullopt);
}

}  // namespace
}  // namespace dropcheck::impl
