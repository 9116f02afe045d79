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

/// Element i is kept where byte i is 1; all others are 0.
void reply_by_bytes(const Row<float>& row, const Reply<float>& reply,
                    const std::uint8_t* kept);
void reply_by_bytes(const Row<double>& row, const Reply<double>& reply,
                    const std::uint8_t* kept);

/// All are kept, or none.
void reply_to_all(const Row<float>& row, const Reply<float>& reply, bool kept);
void reply_to_all(const Row<double>& row, const Reply<double>& reply,
                  bool kept);

}  // namespace dropcheck::impl::fast
