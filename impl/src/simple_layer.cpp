#include "dropcheck/impl/simple_layer.hpp"

namespace dropcheck::impl::detail {

TensorView CallBuffers::results(const Shape& shape, DType dtype,
                                std::int64_t repeat) {
  Shape stacked = shape;
  if (repeat != 1) stacked.insert(stacked.begin(), repeat);
  if (storage_.dtype() != dtype || storage_.shape() != stacked) {
    storage_ = Tensor(dtype, stacked);
  }
  return storage_.view();
}

TensorView slice(const TensorView& stacked, const Shape& shape,
                 std::int64_t index) {
  TensorView result = stacked;
  result.shape = shape;
  result.strides.assign(stacked.strides.begin() + 1, stacked.strides.end());
  result.data = static_cast<std::byte*>(stacked.data) +
                index * stacked.strides[0] *
                    static_cast<std::int64_t>(size_of(stacked.dtype));
  return result;
}

}  // namespace dropcheck::impl::detail
