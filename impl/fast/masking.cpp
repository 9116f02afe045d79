#include "fast/masking.hpp"

#include <algorithm>
#include <cstring>

#include "fast/rows.hpp"

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

template <class T>
Row<T> row_of(const DenseRow& row) {
  return {static_cast<const T*>(row.input), static_cast<T*>(row.output),
          row.count};
}

}  // namespace

void apply_bits(const std::uint64_t* kept, const reference::Response& response,
                const DenseRow& row) {
  if (row.dtype == DType::kFloat32) {
    reply_by_bits(row_of<float>(row), reply_of<float>(response), kept);
    return;
  }
  if (row.dtype == DType::kFloat64) {
    reply_by_bits(row_of<double>(row), reply_of<double>(response), kept);
    return;
  }
  std::uint16_t dropped = 0;
  store(response.dropped, &dropped, row.dtype);
  auto reply = reply_of<float>(response);
  reply.dropped = static_cast<float>(load(&dropped, row.dtype));
  reply_by_bits(
      row_of<std::uint16_t>(row),
      row.dtype == DType::kFloat16 ? Narrow::kFloat16 : Narrow::kBFloat16,
      reply, dropped, kept);
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
