#pragma once

#include <cstddef>
#include <cstdint>

namespace dropcheck::impl::fast {

/// What becomes of a value, in the type that does the arithmetic.
template <class T>
struct Reply {
  enum class Kind { kCopy, kScale, kScaleAndShift };
  Kind kind = Kind::kCopy;
  T scale = 1;
  T offset = 0;
  T dropped = 0;
};

/// The 16-bit floats, whose arithmetic is that of float.
enum class Narrow { kFloat16, kBFloat16 };

/// Neighbours in memory; `y` may be `x`.
template <class T>
struct Row {
  const T* x = nullptr;
  T* y = nullptr;
  std::size_t count = 0;
};

/// Element i is kept where bit i is 1.
void reply_by_bits(const Row<float>& row, const Reply<float>& reply,
                   const std::uint64_t* kept);
void reply_by_bits(const Row<double>& row, const Reply<double>& reply,
                   const std::uint64_t* kept);

/// The same for the bits of 16-bit floats. `dropped_bits` is the dropped value.
void reply_by_bits(const Row<std::uint16_t>& row, Narrow dtype,
                   const Reply<float>& reply, std::uint16_t dropped_bits,
                   const std::uint64_t* kept);

}  // namespace dropcheck::impl::fast
