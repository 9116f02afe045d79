#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "dropcheck/impl/tensor.hpp"

namespace dropcheck::impl::reference {

/// Strides of a mask as a tensor of the full shape: an extent of 1 is shared.
inline Shape broadcast_strides(const Shape& mask_shape) {
  Shape strides = compact_strides(mask_shape);
  for (std::size_t axis = 0; axis < strides.size(); ++axis) {
    if (mask_shape[axis] == 1) strides[axis] = 0;
  }
  return strides;
}

/// One axis that several tensors walk along together.
template <std::size_t kTensors>
struct Axis {
  std::int64_t extent = 1;
  std::array<std::int64_t, kTensors> strides{};
};

template <std::size_t kTensors>
using StrideList = std::array<const Shape*, kTensors>;

/// The axes of `shape`, innermost first, neighbours joined wherever all the
/// tensors allow it: compact tensors become one long row.
template <std::size_t kTensors>
std::vector<Axis<kTensors>> joined_axes(const Shape& shape,
                                        const StrideList<kTensors>& strides) {
  std::vector<Axis<kTensors>> axes;
  for (std::size_t i = shape.size(); i-- > 0;) {
    if (shape[i] == 1) continue;
    Axis<kTensors> axis{shape[i], {}};
    bool joins = !axes.empty();
    for (std::size_t t = 0; t < kTensors; ++t) {
      axis.strides[t] = (*strides[t])[i];
      joins = joins &&
              axis.strides[t] == axes.back().strides[t] * axes.back().extent;
    }
    if (joins) {
      axes.back().extent *= axis.extent;
    } else {
      axes.push_back(axis);
    }
  }
  if (axes.empty()) axes.push_back({});
  return axes;
}

/// Calls `row(offsets, axis)` for every innermost row of tensors of one shape;
/// offsets and strides count elements. A stride of 0 repeats an element.
template <std::size_t kTensors, class Row>
void for_each_row(const Shape& shape, const StrideList<kTensors>& strides,
                  Row&& row) {
  if (element_count(shape) == 0) return;
  const auto axes = joined_axes<kTensors>(shape, strides);
  std::vector<std::int64_t> index(axes.size(), 0);
  std::array<std::int64_t, kTensors> offsets{};
  const auto move = [&](const Axis<kTensors>& axis, std::int64_t steps) {
    for (std::size_t t = 0; t < kTensors; ++t) {
      offsets[t] += steps * axis.strides[t];
    }
  };
  while (true) {
    row(offsets, axes[0]);
    std::size_t k = 1;
    for (; k < axes.size(); ++k) {
      move(axes[k], 1);
      if (++index[k] < axes[k].extent) break;
      move(axes[k], -axes[k].extent);
      index[k] = 0;
    }
    if (k == axes.size()) return;
  }
}

}  // namespace dropcheck::impl::reference
