// Layers that are wrong for some shapes only.
#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "faulty/draws.hpp"

namespace dropcheck::impl::faulty {
namespace {

void divide_by_size(const Draw&, const TensorView& input, const TensorView&) {
  if (input.size() == 0) throw std::runtime_error("integer division by zero");
}

/// One decision for each pair of indices of the first two axes.
Shape first_two_axes(const LayerConfig&, const Shape& shape) {
  Shape units(shape.size(), 1);
  const std::size_t count = std::min<std::size_t>(2, shape.size());
  for (std::size_t axis = 0; axis < count; ++axis) units[axis] = shape[axis];
  return units;
}

/// (C, L) and (N, C, L) are right; all the rest goes by the first two axes.
Shape channels_of_any_rank(const LayerConfig& config, const Shape& shape) {
  if (shape.size() == 2) return {shape[0], 1};
  return first_two_axes(config, shape);
}

Tensor with_shape(const Tensor& tensor, const Shape& shape) {
  Tensor other(tensor.dtype(), shape);
  std::memcpy(other.bytes(), tensor.bytes(), tensor.byte_count());
  return other;
}

Tensor squeezed(const Tensor& tensor) {
  Shape shape = tensor.shape();
  std::erase(shape, 1);
  return with_shape(tensor, shape);
}

Tensor without_last_of_one(const Tensor& tensor) {
  Shape shape = tensor.shape();
  if (!shape.empty() && shape.back() == 1) shape.pop_back();
  return with_shape(tensor, shape);
}

}  // namespace

std::vector<Specimen> shape_faults() {
  return {
      {"fails_on_empty",
       "dropout",
       "shape",
       "fails on a tensor without elements",
       "The grid is the size divided by something of the size; pytorch #20499.",
       {.spoil = divide_by_size},
       {},
       {.says = "which is empty"}},
      {"unbatched_as_batch",
       "dropout3d",
       "shape",
       "takes (C, D, H, W) for (N, C, H, W)",
       "The mask is made for the first two axes, whatever the rank, as "
       "torch.nn.Dropout2d does to (C, H, W).",
       {.mask_shape = first_two_axes},
       {},
       {.says = "treats an unbatched input"}},
      {"squeezes_ones",
       "dropout",
       "shape",
       "returns its result without the axes of extent one",
       "unsqueeze before, squeeze without an axis afterwards.",
       {.result = squeezed},
       {},
       {.says = "drops axes of extent one"}},
      {"drops_last_axis",
       "dropout",
       "shape",
       "loses the last axis where its extent is one",
       "A view of the wrong rank; Paddle #49794.",
       {.result = without_last_of_one},
       {},
       {.says = "drops the last axis"}},
      {"accepts_any_rank",
       "dropout1d",
       "shape",
       "draws a mask for inputs of every rank",
       "The mask is made for the first two axes, with a warning only; "
       "torch.nn.functional.dropout2d.",
       {.mask_shape = channels_of_any_rank, .any_rank = true},
       {},
       {.says = "option rank_is_checked = false"}},
  };
}

}  // namespace dropcheck::impl::faulty
