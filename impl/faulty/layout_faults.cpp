// Layers that mistake how their input or output lies in memory.
#include <algorithm>
#include <cstddef>

#include "faulty/draws.hpp"

namespace dropcheck::impl::faulty {
namespace {

/// The same memory from its lowest element on, without gaps. It must not be
/// shorter than that: expanded inputs are left alone.
TensorView taken_for_compact(const TensorView& input) {
  std::int64_t low = 0;
  std::int64_t high = 0;
  for (std::size_t axis = 0; axis < input.shape.size(); ++axis) {
    const std::int64_t steps = (input.shape[axis] - 1) * input.strides[axis];
    (steps < 0 ? low : high) += steps;
  }
  if (input.size() == 0 || high - low + 1 < input.size()) return input;
  TensorView view = input;
  const auto width = static_cast<std::int64_t>(size_of(view.dtype));
  view.data = static_cast<std::byte*>(view.data) + low * width;
  view.strides = compact_strides(view.shape);
  return view;
}

/// Height and width change places where the channel is innermost.
TensorView width_before_height(const TensorView& input,
                               const TensorView& output) {
  const bool channels_last = input.shape.size() == 4 && !input.compact() &&
                             input.strides[1] == 1 && output.compact();
  if (!channels_last) return output;
  TensorView view = output;
  view.strides[2] = 1;
  view.strides[3] = view.shape[2];
  return view;
}

void write_past_a_tail(const Draw&, const TensorView&,
                       const TensorView& output) {
  if (output.size() % 8 != 5 || !output.compact()) return;
  const std::size_t width = size_of(output.dtype);
  store(1,
        static_cast<std::byte*>(output.data) +
            static_cast<std::size_t>(output.size()) * width,
        output.dtype);
}

/// The element after the first row, where rows have gaps between them.
void write_into_the_gap(const Draw&, const TensorView&,
                        const TensorView& output) {
  const std::size_t rank = output.shape.size();
  if (rank < 2 || output.size() == 0 || output.strides[rank - 1] != 1) return;
  if (output.strides[rank - 2] <= output.shape[rank - 1]) return;
  const auto width = static_cast<std::int64_t>(size_of(output.dtype));
  store(0,
        static_cast<std::byte*>(output.data) + output.shape[rank - 1] * width,
        output.dtype);
}

}  // namespace

std::vector<Specimen> layout_faults() {
  return {
      {"ignores_strides",
       "dropout",
       "layout",
       "reads its input's memory from front to back, whatever the strides",
       "Offsets are computed for one dimension; pytorch #47176.",
       {.reads = taken_for_compact},
       {},
       {.says = "ignores the strides"}},
      {"swaps_height_and_width",
       "dropout2d",
       "layout",
       "exchanges H and W where the input is channels-last",
       "The output is laid out for (N, C, W, H); seen on square images only, "
       "it passes.",
       {.writes = width_before_height},
       {},
       {.says = "in the order of the axes (0, 1, 3, 2)"}},
      {"writes_whole_vectors",
       "dropout",
       "layout",
       "writes one element past the end of outputs of 5 modulo 8 elements",
       "The tail is stored in pairs of lanes.",
       {.spoil = write_past_a_tail},
       {},
       {.says = "past the end of its output"}},
      {"overwrites_gaps",
       "dropout",
       "layout",
       "in place on a slice it writes between the rows, too",
       "The row is taken to be as long as its stride; the rest of the larger "
       "tensor pays for it.",
       {.spoil = write_into_the_gap},
       {{.layer = "dropout", .in_place = true}},
       {.says = "into the gap after element"}},
  };
}

}  // namespace dropcheck::impl::faulty
