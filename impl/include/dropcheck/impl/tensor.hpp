#pragma once

#include <dlpack/dlpack.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "dropcheck/impl/dtype.hpp"

namespace dropcheck::impl {

using Shape = std::vector<std::int64_t>;

/// Product of the extents; 1 for a scalar. Throws std::invalid_argument if an
/// extent is negative or the product leaves 63 bits.
std::int64_t element_count(const Shape& shape);

/// "64x256x2x2"; "scalar" for rank 0.
std::string to_string(const Shape& shape);

/// Row-major strides, in elements.
Shape compact_strides(const Shape& shape);

/// A borrowed tensor on the host: pointer, dtype, shape and strides (elements).
/// Valid as long as its owner says; copying it copies no data.
struct TensorView {
  void* data = nullptr;
  DType dtype = DType::kFloat32;
  Shape shape;
  Shape strides;

  std::int64_t size() const { return element_count(shape); }
  bool compact() const;
  /// Address of the element with row-major index `index`.
  void* at(std::int64_t index) const;
  double value(std::int64_t index) const { return load(at(index), dtype); }
  void set(std::int64_t index, double value) const {
    store(value, at(index), dtype);
  }
  /// All elements as plain memory, for code that knows float or double only.
  /// Throws std::invalid_argument for another dtype or gaps between elements.
  std::span<float> floats() const;
  std::span<double> doubles() const;
};

/// A compact row-major tensor that owns its elements (zeros at first).
class Tensor {
 public:
  Tensor() : Tensor(DType::kFloat32, Shape{0}) {}
  Tensor(DType dtype, Shape shape);
  /// Values in row-major order, rounded to the dtype.
  Tensor(DType dtype, Shape shape, const std::vector<double>& values);

  TensorView view();
  /// A view for reading; the caller must not write through it.
  TensorView view() const;
  std::int64_t size() const { return element_count(shape_); }
  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  std::byte* bytes() { return reinterpret_cast<std::byte*>(storage_.data()); }
  const std::byte* bytes() const {
    return reinterpret_cast<const std::byte*>(storage_.data());
  }
  std::size_t byte_count() const;

 private:
  DType dtype_;
  Shape shape_;
  std::vector<std::uint64_t> storage_;
};

/// A DLPack description of `view` that borrows its shape and strides.
DLTensor to_dlpack(TensorView& view);

/// Throws std::invalid_argument for a device other than the CPU, or a dtype
/// that is not one of ours. NULL strides mean compact.
TensorView from_dlpack(const DLTensor& tensor);

/// Copies `from` to `to` element by element; both must have one shape and
/// dtype, else std::invalid_argument. Strides may differ.
void copy(const TensorView& from, const TensorView& to);

}  // namespace dropcheck::impl
