#pragma once

#include <cstddef>
#include <cstdint>

#include "reference/masking.hpp"

namespace dropcheck::impl::fast {

// The vectorised twin of reference/masking.hpp: the same bits, faster.

/// Writes the response of `count` neighbours in memory to `output`, which may
/// be the input itself. Element i is kept where bit i of `kept` is 1, the
/// lowest bit of a word first.
struct DenseRow {
  DType dtype = DType::kFloat32;
  const void* input = nullptr;
  void* output = nullptr;
  std::size_t count = 0;
};
void apply_bits(const std::uint64_t* kept, const reference::Response& response,
                const DenseRow& row);

/// One byte an element, 0 or 1, of each of `count` bits.
void expand_bits(const std::uint64_t* bits, std::size_t count,
                 std::uint8_t* bytes);

}  // namespace dropcheck::impl::fast
