#include "dropcheck/impl/layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <stdexcept>

namespace dropcheck::impl {
namespace {

/// Elements of the gap between two rows of kSliced.
constexpr std::int64_t kGapWidth = 3;
constexpr std::int64_t kStep = 2;

std::size_t long_axes(const Shape& shape) {
  return static_cast<std::size_t>(std::count_if(
      shape.begin(), shape.end(), [](std::int64_t n) { return n > 1; }));
}

Shape column_major(const Shape& shape) {
  Shape reversed(shape.rbegin(), shape.rend());
  Shape strides = compact_strides(reversed);
  std::reverse(strides.begin(), strides.end());
  return strides;
}

/// Compact strides of a larger shape, the last axis taken in steps.
Shape inside(Shape larger, std::int64_t last_extent, std::int64_t step) {
  larger.back() = last_extent;
  Shape strides = compact_strides(larger);
  strides.back() = step;
  return strides;
}

Shape channels_innermost(const Shape& shape) {
  Shape moved = shape;
  std::rotate(moved.begin() + 1, moved.begin() + 2, moved.end());
  Shape strides = compact_strides(moved);
  std::rotate(strides.begin() + 1, strides.end() - 1, strides.end());
  return strides;
}

Shape materialised(const Shape& shape) {
  Shape strides = compact_strides(shape);
  const Shape transposed = column_major(shape);
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    if (shape[axis] == 1) strides[axis] = transposed[axis];
  }
  return strides;
}

Shape expanded(Shape shape) {
  const auto axis =
      std::find_if(shape.begin(), shape.end(), [](auto n) { return n > 1; });
  const auto place = axis - shape.begin();
  *axis = 1;
  Shape strides = compact_strides(shape);
  strides[static_cast<std::size_t>(place)] = 0;
  return strides;
}

Shape negated(Shape strides) {
  for (std::int64_t& stride : strides) stride = -stride;
  return strides;
}

/// How far the elements reach from the first one, in elements.
struct Reach {
  std::int64_t low = 0;
  std::int64_t high = 0;
  std::int64_t count() const { return high - low + 1; }
};

Reach reach_of(const TensorView& view) {
  Reach reach;
  for (std::size_t axis = 0; axis < view.shape.size(); ++axis) {
    const std::int64_t steps = (view.shape[axis] - 1) * view.strides[axis];
    (steps < 0 ? reach.low : reach.high) += steps;
  }
  return reach;
}

}  // namespace

std::string_view name_of(Layout layout) {
  switch (layout) {
    case Layout::kContiguous:
      return "contiguous";
    case Layout::kTransposed:
      return "transposed";
    case Layout::kMaterialised:
      return "transposed and materialised";
    case Layout::kSliced:
      return "sliced";
    case Layout::kStepped:
      return "stepped";
    case Layout::kOffset:
      return "offset by one element";
    case Layout::kChannelsLast:
      return "channels last";
    case Layout::kReversed:
      return "reversed";
    case Layout::kExpanded:
      return "expanded";
  }
  return "";
}

std::optional<Layout> layout_from_name(std::string_view name) {
  for (const Layout layout : kLayouts) {
    if (name_of(layout) == name) return layout;
  }
  return std::nullopt;
}

Strides needed_strides(Layout layout) {
  switch (layout) {
    case Layout::kContiguous:
    case Layout::kMaterialised:
    case Layout::kOffset:
      return Strides::kCompact;
    case Layout::kReversed:
      return Strides::kAny;
    case Layout::kTransposed:
    case Layout::kSliced:
    case Layout::kStepped:
    case Layout::kChannelsLast:
    case Layout::kExpanded:
      return Strides::kNonNegative;
  }
  return Strides::kAny;
}

bool is_legal(Layout layout, const Shape& shape) {
  if (layout == Layout::kContiguous) return true;
  if (element_count(shape) == 0) return false;
  const std::size_t many = long_axes(shape);
  switch (layout) {
    case Layout::kOffset:
      return true;
    case Layout::kTransposed:
      return many >= 2;
    case Layout::kMaterialised:
      return many >= 1 && materialised(shape) != compact_strides(shape);
    case Layout::kSliced:
      return many >= 2 || (many == 1 && shape.back() == 1);
    case Layout::kStepped:
      return many >= 1 && shape.back() > 1;
    case Layout::kChannelsLast:
      return shape.size() >= 3 && shape[1] > 1 &&
             many > 1 + static_cast<std::size_t>(shape[0] > 1);
    case Layout::kReversed:
    case Layout::kExpanded:
      return many >= 1;
    case Layout::kContiguous:
      break;
  }
  return true;
}

std::vector<Layout> legal_layouts(const Shape& shape) {
  std::vector<Layout> legal;
  for (const Layout layout : kLayouts) {
    if (is_legal(layout, shape)) legal.push_back(layout);
  }
  return legal;
}

Shape strides_of(Layout layout, const Shape& shape) {
  if (!is_legal(layout, shape)) {
    throw std::invalid_argument(
        fmt::format("shape {} has no layout of its own that is {}",
                    to_string(shape), name_of(layout)));
  }
  switch (layout) {
    case Layout::kTransposed:
      return column_major(shape);
    case Layout::kMaterialised:
      return materialised(shape);
    case Layout::kSliced:
      return inside(shape, shape.back() + kGapWidth, 1);
    case Layout::kStepped:
      return inside(shape, shape.back() * kStep, kStep);
    case Layout::kChannelsLast:
      return channels_innermost(shape);
    case Layout::kReversed:
      return negated(compact_strides(shape));
    case Layout::kExpanded:
      return expanded(shape);
    case Layout::kContiguous:
    case Layout::kOffset:
      break;
  }
  return compact_strides(shape);
}

LaidOut::LaidOut(const Tensor& tensor, Layout layout)
    : layout_(layout),
      view_{nullptr, tensor.dtype(), tensor.shape(),
            strides_of(layout, tensor.shape())} {
  const std::size_t width = size_of(view_.dtype);
  const bool empty = tensor.size() == 0;
  const Reach reach = empty ? Reach{0, -1} : reach_of(view_);
  owners_.assign(static_cast<std::size_t>(reach.count()), -1);
  bytes_ = GuardedBytes(owners_.size() * width,
                        layout == Layout::kOffset ? width : 0);
  view_.data = bytes_.data() - reach.low * static_cast<std::int64_t>(width);
  fill_gaps();
  const TensorView from = tensor.view();
  // Backwards, so that what is repeated is the first slice.
  for (std::int64_t i = tensor.size(); i-- > 0;) {
    void* place = view_.at(i);
    const auto byte = static_cast<std::byte*>(place) - bytes_.data();
    owners_[static_cast<std::size_t>(byte) / width] = i;
    std::memcpy(place, from.at(i), width);
  }
}

void LaidOut::fill_gaps() {
  const std::size_t width = size_of(view_.dtype);
  for (std::size_t place = 0; place < owners_.size(); ++place) {
    store(kGap, bytes_.data() + place * width, view_.dtype);
  }
}

bool LaidOut::is_gap_value(std::size_t place) const {
  const std::size_t width = size_of(view_.dtype);
  return load(bytes_.data() + place * width, view_.dtype) == kGap;
}

Tensor LaidOut::values() const {
  Tensor values(view_.dtype, view_.shape);
  copy(view_, values.view());
  return values;
}

std::optional<std::string> LaidOut::damage(std::string_view what) const {
  if (auto around = bytes_.damage(what)) return around;
  std::int64_t latest = -1;
  for (std::size_t place = 0; place < owners_.size(); ++place) {
    if (owners_[place] >= 0) {
      latest = owners_[place];
    } else if (!is_gap_value(place)) {
      return fmt::format("into the gap after element {} of {}", latest, what);
    }
  }
  return std::nullopt;
}

}  // namespace dropcheck::impl
