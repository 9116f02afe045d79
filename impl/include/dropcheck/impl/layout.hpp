#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dropcheck/impl/guarded_bytes.hpp"
#include "dropcheck/impl/strides.hpp"
#include "dropcheck/impl/tensor.hpp"

namespace dropcheck::impl {

/// How the elements of a tensor lie in memory.
enum class Layout {
  kContiguous,  ///< row-major, begins at an aligned address
  kTransposed,  ///< column-major: the first axis is the innermost
  /// Row-major again after a transposition: axes of extent 1 keep the strides
  /// that it gave them, as libraries leave them.
  kMaterialised,
  kSliced,        ///< rows of a wider tensor, with gaps between them
  kStepped,       ///< every second element along the last axis
  kOffset,        ///< row-major, begins one element past an aligned address
  kChannelsLast,  ///< axis 1 is the innermost
  kReversed,      ///< negative strides: the last element lies first
  /// Stride 0: the first axis longer than 1 repeats its first slice.
  kExpanded,
};

inline constexpr std::array kLayouts{
    Layout::kContiguous,   Layout::kTransposed, Layout::kMaterialised,
    Layout::kSliced,       Layout::kStepped,    Layout::kOffset,
    Layout::kChannelsLast, Layout::kReversed,   Layout::kExpanded};

/// In words, e.g. "channels last".
std::string_view name_of(Layout layout);

/// The inverse of `name_of`; empty for an unknown name.
std::optional<Layout> layout_from_name(std::string_view name);

/// What a layer must understand to be given this layout.
Strides needed_strides(Layout layout);

/// Whether the layout differs from kContiguous for a tensor of this shape, by
/// its strides or its address; kContiguous itself is always there.
bool is_legal(Layout layout, const Shape& shape);

/// The legal layouts of a shape, in the order of `kLayouts`.
std::vector<Layout> legal_layouts(const Shape& shape);

/// Strides, in elements. Throws std::invalid_argument where not legal.
Shape strides_of(Layout layout, const Shape& shape);

/// A tensor laid out in memory of its own, with guards around it and a known
/// value in the gaps between its elements: a write outside of them is seen, but
/// for one of that very value.
class LaidOut {
 public:
  /// What stands in the gaps: a number in every dtype, far from the inputs of
  /// the oracle.
  static constexpr double kGap = -24576;

  /// The values of `tensor` at the same logical indices; kExpanded repeats
  /// those of its first slice. Throws std::invalid_argument where not legal.
  LaidOut(const Tensor& tensor, Layout layout);
  LaidOut(LaidOut&&) = default;
  LaidOut& operator=(LaidOut&&) = default;
  LaidOut(const LaidOut&) = delete;
  LaidOut& operator=(const LaidOut&) = delete;

  Layout layout() const { return layout_; }
  /// Valid for as long as this lives, also after a move.
  const TensorView& view() const { return view_; }
  /// What stands at the logical indices now, compact.
  Tensor values() const;

  /// For each place in memory from the lowest element to the highest the
  /// element there, row-major, or -1 for a gap.
  const std::vector<std::int64_t>& owners() const { return owners_; }

  /// Where something was written outside the elements, as the end of a sentence
  /// that begins with "writes": "4 bytes past the end of its input" or "into
  /// the gap after element 7 of its input" for `what` = "its input". Nothing if
  /// all is whole. Elements are counted row-major, from 0.
  std::optional<std::string> damage(std::string_view what) const;

 private:
  void fill_gaps();
  bool is_gap_value(std::size_t place) const;

  Layout layout_;
  GuardedBytes bytes_;
  TensorView view_;
  std::vector<std::int64_t> owners_;
};

}  // namespace dropcheck::impl
