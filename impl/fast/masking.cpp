#include "fast/masking.hpp"

#include <cstring>
#include <stdexcept>

#include "fast/rows.hpp"
#include "reference/rows.hpp"

namespace dropcheck::impl::fast {
namespace {

template <class T>
Reply<T> reply_of(const reference::Response& response) {
  using Kind = typename Reply<T>::Kind;
  const Kind moving =
      response.offset != 0 ? Kind::kScaleAndShift : Kind::kScale;
  return {response.scale == 1 && response.offset == 0 ? Kind::kCopy : moving,
          static_cast<T>(response.scale), static_cast<T>(response.offset),
          static_cast<T>(response.dropped)};
}

/// An innermost row of a tensor and its mask.
template <class T>
struct Place {
  const T* x;
  T* y;
  const std::uint8_t* kept;
};

template <class T>
void apply_row(const Place<T>& place, const reference::Axis<3>& axis,
               const Reply<T>& reply) {
  const auto [in, out, unit] = axis.strides;
  const auto count = static_cast<std::size_t>(axis.extent);
  if (in == 1 && out == 1 && unit == 1) {
    reply_by_bytes(Row<T>{place.x, place.y, count}, reply, place.kept);
  } else if (in == 1 && out == 1 && unit == 0) {
    reply_to_all(Row<T>{place.x, place.y, count}, reply, *place.kept != 0);
  } else {
    for (std::int64_t i = 0; i < axis.extent; ++i) {
      reply_to_all(Row<T>{place.x + i * in, place.y + i * out, 1}, reply,
                   place.kept[i * unit] != 0);
    }
  }
}

template <class T>
void apply_as(const reference::Mask& mask, const reference::Response& response,
              const TensorView& input, const TensorView& output) {
  const Shape unit_strides = reference::broadcast_strides(mask.shape);
  const Reply<T> reply = reply_of<T>(response);
  reference::for_each_row<3>(
      output.shape, {&input.strides, &output.strides, &unit_strides},
      [&](const std::array<std::int64_t, 3>& offset,
          const reference::Axis<3>& axis) {
        apply_row(Place<T>{static_cast<const T*>(input.data) + offset[0],
                           static_cast<T*>(output.data) + offset[1],
                           mask.kept.data() + offset[2]},
                  axis, reply);
      });
}

template <class T>
void apply_bits_as(const std::uint64_t* kept,
                   const reference::Response& response, const DenseRow& row) {
  reply_by_bits(Row<T>{static_cast<const T*>(row.input),
                       static_cast<T*>(row.output), row.count},
                reply_of<T>(response), kept);
}

}  // namespace

bool covers(DType dtype) {
  return dtype == DType::kFloat32 || dtype == DType::kFloat64;
}

void apply_bits(const std::uint64_t* kept, const reference::Response& response,
                const DenseRow& row) {
  if (row.dtype == DType::kFloat32) {
    apply_bits_as<float>(kept, response, row);
  } else if (row.dtype == DType::kFloat64) {
    apply_bits_as<double>(kept, response, row);
  } else {
    throw std::invalid_argument("the fast path has f32 and f64 only");
  }
}

// A single element is cheaper by itself than as a row: the readable code takes
// what is not dense.
void apply_mask(const reference::Mask& mask,
                const reference::Response& response, const TensorView& input,
                const TensorView& output) {
  const bool alike = input.dtype == output.dtype && input.shape == output.shape;
  const bool dense = input.compact() && output.compact();
  if (!alike || !dense || !covers(input.dtype)) {
    reference::apply_mask(mask, response, input, output);
  } else if (input.dtype == DType::kFloat32) {
    apply_as<float>(mask, response, input, output);
  } else {
    apply_as<double>(mask, response, input, output);
  }
}

void expand_bits(const std::uint64_t* bits, std::size_t count,
                 std::uint8_t* bytes) {
  for (std::size_t i = 0; i < count; i += 8) {
    const std::uint64_t eight = bits[i / 64] >> (i % 64) & 0xFFU;
    // Bit j of the eight alone in byte j; then any bit becomes 1.
    const std::uint64_t spread =
        eight * 0x0101010101010101U & 0x8040201008040201U;
    const std::uint64_t ones =
        (spread + 0x7F7F7F7F7F7F7F7FU) >> 7U & 0x0101010101010101U;
    std::memcpy(bytes + i, &ones, std::min<std::size_t>(8, count - i));
  }
}

}  // namespace dropcheck::impl::fast
