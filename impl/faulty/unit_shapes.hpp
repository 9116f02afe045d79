#pragma once

#include <algorithm>

#include "faulty/fault.hpp"

namespace dropcheck::impl::faulty {

// Shapes of masks that share their decisions along the wrong axes.

inline Shape per_element(const LayerConfig&, const Shape& shape) {
  return shape;
}

/// One decision for each index of the first `count` axes.
template <std::size_t count>
Shape first_axes(const LayerConfig&, const Shape& shape) {
  Shape units(shape.size(), 1);
  for (std::size_t axis = 0; axis < std::min(count, shape.size()); ++axis) {
    units[axis] = shape[axis];
  }
  return units;
}

/// The shape with one axis shared.
template <std::size_t axis>
Shape shared_axis(const LayerConfig&, const Shape& shape) {
  Shape units = shape;
  if (axis < units.size()) units[axis] = 1;
  return units;
}

inline Shape shared_last_axis(const LayerConfig&, const Shape& shape) {
  Shape units = shape;
  if (!units.empty()) units.back() = 1;
  return units;
}

/// One decision per channel for all samples; axis 1 is the channel.
inline Shape channels_of_all(const LayerConfig&, const Shape& shape) {
  Shape units(shape.size(), 1);
  if (units.size() > 1) units[1] = shape[1];
  return units;
}

/// One decision for each sample and each of its last positions.
inline Shape first_and_last(const LayerConfig&, const Shape& shape) {
  Shape units(shape.size(), 1);
  if (units.empty()) return units;
  units.front() = shape.front();
  units.back() = shape.back();
  return units;
}

}  // namespace dropcheck::impl::faulty
