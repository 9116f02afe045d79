#include "dropcheck/impl/tensor.hpp"

#include <fmt/format.h>

#include <cstring>
#include <stdexcept>

namespace dropcheck::impl {
namespace {

std::int64_t offset_of(const TensorView& view, std::int64_t index) {
  std::int64_t offset = 0;
  for (std::size_t axis = view.shape.size(); axis-- > 0;) {
    offset += (index % view.shape[axis]) * view.strides[axis];
    index /= view.shape[axis];
  }
  return offset;
}

DLDataType dlpack_type(DType dtype) {
  const auto code = dtype == DType::kBFloat16 ? kDLBfloat : kDLFloat;
  return {static_cast<std::uint8_t>(code),
          static_cast<std::uint8_t>(8 * size_of(dtype)), 1};
}

DType dtype_of(const DLDataType& type) {
  for (const DType dtype :
       {DType::kFloat64, DType::kFloat32, DType::kFloat16, DType::kBFloat16}) {
    const DLDataType candidate = dlpack_type(dtype);
    if (candidate.code == type.code && candidate.bits == type.bits &&
        type.lanes == 1) {
      return dtype;
    }
  }
  throw std::invalid_argument(
      fmt::format("tensor dtype is DLPack code {} with {} bits and {} lanes, "
                  "but must be f64, f32, f16 or bf16",
                  type.code, type.bits, type.lanes));
}

}  // namespace

std::int64_t element_count(const Shape& shape) {
  std::int64_t count = 1;
  bool empty = false;
  for (const std::int64_t extent : shape) {
    if (extent < 0) {
      throw std::invalid_argument(fmt::format(
          "shape has the extent {}, but extents must be at least 0", extent));
    }
    if (extent == 0) {
      empty = true;
    } else if (__builtin_mul_overflow(count, extent, &count)) {
      throw std::invalid_argument(fmt::format(
          "shape {} has more than 2^63 - 1 elements", to_string(shape)));
    }
  }
  return empty ? 0 : count;
}

std::string to_string(const Shape& shape) {
  if (shape.empty()) return "scalar";
  return fmt::format("{}", fmt::join(shape, "x"));
}

Shape compact_strides(const Shape& shape) {
  Shape strides(shape.size());
  std::int64_t stride = 1;
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return strides;
}

bool TensorView::compact() const {
  std::int64_t expected = 1;
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    if (shape[axis] != 1 && strides[axis] != expected) return false;
    expected *= shape[axis];
  }
  return true;
}

void* TensorView::at(std::int64_t index) const {
  const std::int64_t offset = compact() ? index : offset_of(*this, index);
  return static_cast<std::byte*>(data) +
         offset * static_cast<std::int64_t>(size_of(dtype));
}

namespace {

template <class T>
std::span<T> plain(const TensorView& view, DType dtype) {
  if (view.dtype != dtype || !view.compact()) {
    throw std::invalid_argument(fmt::format(
        "tensor is {} with strides {}, but must be {} without gaps",
        name_of(view.dtype), fmt::join(view.strides, "x"), name_of(dtype)));
  }
  return {static_cast<T*>(view.data), static_cast<std::size_t>(view.size())};
}

}  // namespace

std::span<float> TensorView::floats() const {
  return plain<float>(*this, DType::kFloat32);
}

std::span<double> TensorView::doubles() const {
  return plain<double>(*this, DType::kFloat64);
}

Tensor::Tensor(DType dtype, Shape shape)
    : dtype_(dtype), shape_(std::move(shape)) {
  storage_.resize((byte_count() + sizeof(std::uint64_t) - 1) /
                  sizeof(std::uint64_t));
}

Tensor::Tensor(DType dtype, Shape shape, const std::vector<double>& values)
    : Tensor(dtype, std::move(shape)) {
  if (static_cast<std::int64_t>(values.size()) != size()) {
    throw std::invalid_argument(
        fmt::format("shape {} needs {} values, but got {}", to_string(shape_),
                    size(), values.size()));
  }
  std::byte* element = bytes();
  for (const double value : values) {
    store(value, element, dtype_);
    element += size_of(dtype_);
  }
}

std::size_t Tensor::byte_count() const {
  return static_cast<std::size_t>(size()) * size_of(dtype_);
}

TensorView Tensor::view() {
  return {storage_.data(), dtype_, shape_, compact_strides(shape_)};
}

TensorView Tensor::view() const {
  return {const_cast<std::uint64_t*>(storage_.data()), dtype_, shape_,
          compact_strides(shape_)};
}

DLTensor to_dlpack(TensorView& view) {
  DLTensor tensor{};
  tensor.data = view.data;
  tensor.device = {kDLCPU, 0};
  tensor.ndim = static_cast<int>(view.shape.size());
  tensor.dtype = dlpack_type(view.dtype);
  tensor.shape = view.shape.data();
  tensor.strides = view.strides.data();
  return tensor;
}

TensorView from_dlpack(const DLTensor& tensor) {
  if (tensor.device.device_type != kDLCPU) {
    throw std::invalid_argument(
        fmt::format("tensor lies on DLPack device type {}, but must lie on "
                    "the CPU (1)",
                    static_cast<int>(tensor.device.device_type)));
  }
  TensorView view;
  view.dtype = dtype_of(tensor.dtype);
  view.data = static_cast<std::byte*>(tensor.data) + tensor.byte_offset;
  view.shape.assign(tensor.shape, tensor.shape + tensor.ndim);
  if (tensor.strides == nullptr) {
    view.strides = compact_strides(view.shape);
  } else {
    view.strides.assign(tensor.strides, tensor.strides + tensor.ndim);
  }
  return view;
}

void copy(const TensorView& from, const TensorView& to) {
  if (from.shape != to.shape || from.dtype != to.dtype) {
    throw std::invalid_argument(
        fmt::format("cannot copy {} {} to {} {}: shape and dtype must agree",
                    to_string(from.shape), name_of(from.dtype),
                    to_string(to.shape), name_of(to.dtype)));
  }
  const std::size_t width = size_of(from.dtype);
  const std::int64_t count = from.size();
  if (count == 0) return;
  if (from.compact() && to.compact()) {
    std::memcpy(to.data, from.data, static_cast<std::size_t>(count) * width);
    return;
  }
  for (std::int64_t i = 0; i < count; ++i) {
    std::memcpy(to.at(i), from.at(i), width);
  }
}

}  // namespace dropcheck::impl
