#include "dropcheck/impl/tensor.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <stdexcept>

#include "dropcheck/impl/load_all.hpp"
#include "support.hpp"

namespace dropcheck::impl {
namespace {

using testing::counting;
using ::testing::ElementsAre;
using testing::values_of;

// bf16 has 8 significand bits: 1 + 2^-8 is a tie and goes to the even 1;
// anything above the tie goes up, even where float would have rounded it away.
TEST(DType, RoundsToNearestEvenOnce) {
  EXPECT_EQ(rounded(1 + 0x1p-8, DType::kBFloat16), 1);
  EXPECT_EQ(rounded(1 + 3 * 0x1p-8, DType::kBFloat16), 1 + 0x1p-6);
  EXPECT_EQ(rounded(1 + 0x1p-8 + 0x1p-40, DType::kBFloat16), 1 + 0x1p-7);
  EXPECT_EQ(rounded(-1 - 0x1p-8 - 0x1p-40, DType::kBFloat16), -1 - 0x1p-7);
  EXPECT_EQ(rounded(1 + 0x1p-8 - 0x1p-40, DType::kBFloat16), 1);
  EXPECT_EQ(rounded(1 + 0x1p-11, DType::kFloat16), 1);
  EXPECT_EQ(rounded(1 + 0x1p-11 + 0x1p-40, DType::kFloat16), 1 + 0x1p-10);
  EXPECT_EQ(rounded(1 + 0x1p-24, DType::kFloat32), 1);
  EXPECT_EQ(rounded(0.1, DType::kFloat64), 0.1);
}

TEST(DType, KeepsInfinitiesZerosAndNaN) {
  const double infinity = std::numeric_limits<double>::infinity();
  for (const DType dtype :
       {DType::kFloat64, DType::kFloat32, DType::kFloat16, DType::kBFloat16}) {
    EXPECT_EQ(rounded(infinity, dtype), infinity);
    EXPECT_TRUE(std::isnan(rounded(std::nan(""), dtype)));
    EXPECT_TRUE(std::signbit(rounded(-0.0, dtype)));
  }
  EXPECT_EQ(rounded(65520, DType::kFloat16), infinity);
  EXPECT_EQ(rounded(65519.99, DType::kFloat16), 65504);
  EXPECT_EQ(rounded(0x1p-25, DType::kFloat16), 0);
  EXPECT_EQ(rounded(0x1p-24, DType::kFloat16), 0x1p-24);
}

TEST(DType, LoadsManyAsOneByOne) {
  const std::vector<double> values{1, -0.1, 65504, 0x1p-24, -0.0};
  for (const DType dtype :
       {DType::kFloat64, DType::kFloat32, DType::kFloat16, DType::kBFloat16}) {
    const Tensor tensor(dtype, {5}, values);
    std::vector<double> all(5);
    load_all(tensor.bytes(), dtype, all.size(), all.data());
    for (std::size_t i = 0; i < all.size(); ++i) {
      EXPECT_EQ(all[i], rounded(values[i], dtype)) << name_of(dtype);
    }
  }
}

TEST(DType, HasNamesThatInvert) {
  for (const DType dtype :
       {DType::kFloat64, DType::kFloat32, DType::kFloat16, DType::kBFloat16}) {
    EXPECT_EQ(dtype_from_name(name_of(dtype)), dtype);
  }
  EXPECT_EQ(dtype_from_name("float"), std::nullopt);
}

TEST(Shape, CountsElements) {
  EXPECT_EQ(element_count({}), 1);
  EXPECT_EQ(element_count({2, 0, 3}), 0);
  EXPECT_EQ(element_count({2, 3}), 6);
  EXPECT_THROW(element_count({-1}), std::invalid_argument);
  EXPECT_THROW(element_count({std::int64_t{1} << 62, 4}),
               std::invalid_argument);
}

TEST(TensorView, ReadsATransposedTensor) {
  Tensor tensor = counting(DType::kFloat32, {2, 3});
  TensorView transposed = tensor.view();
  transposed.shape = {3, 2};
  transposed.strides = {1, 3};
  EXPECT_FALSE(transposed.compact());
  EXPECT_THAT(values_of(transposed), ElementsAre(1, 4, 2, 5, 3, 6));
  Tensor straight(DType::kFloat32, {3, 2});
  copy(transposed, straight.view());
  EXPECT_THAT(values_of(straight.view()), ElementsAre(1, 4, 2, 5, 3, 6));
}

TEST(TensorView, RefusesToCopyBetweenShapes) {
  Tensor one(DType::kFloat32, {2, 3});
  Tensor other(DType::kFloat32, {3, 2});
  EXPECT_THROW(copy(one.view(), other.view()), std::invalid_argument);
}

TEST(DLPack, RoundTripsEveryDType) {
  for (const DType dtype :
       {DType::kFloat64, DType::kFloat32, DType::kFloat16, DType::kBFloat16}) {
    Tensor tensor = counting(dtype, {2, 3});
    TensorView view = tensor.view();
    view.shape = {3, 2};
    view.strides = {1, 3};
    const TensorView back = from_dlpack(to_dlpack(view));
    EXPECT_EQ(back.data, view.data);
    EXPECT_EQ(back.dtype, dtype);
    EXPECT_EQ(back.shape, view.shape);
    EXPECT_EQ(back.strides, view.strides);
  }
}

TEST(DLPack, TakesNullStridesAndAnOffset) {
  Tensor tensor = counting(DType::kFloat64, {2, 3});
  TensorView view = tensor.view();
  view.shape = {1, 3};
  DLTensor raw = to_dlpack(view);
  raw.strides = nullptr;
  raw.byte_offset = 3 * sizeof(double);
  EXPECT_THAT(values_of(from_dlpack(raw)), ElementsAre(4, 5, 6));
}

TEST(DLPack, RefusesOtherDevicesAndDTypes) {
  Tensor tensor(DType::kFloat32, {1});
  TensorView view = tensor.view();
  DLTensor raw = to_dlpack(view);
  raw.device.device_type = kDLCUDA;
  EXPECT_THROW(from_dlpack(raw), std::invalid_argument);
  raw = to_dlpack(view);
  raw.dtype.code = kDLInt;
  EXPECT_THROW(from_dlpack(raw), std::invalid_argument);
}

}  // namespace
}  // namespace dropcheck::impl
