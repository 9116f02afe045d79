#pragma once

#include <cstddef>
#include <cstdint>

#include "dropcheck/impl/piecewise.hpp"
#include "mask_reader.hpp"

namespace dropcheck::properties {

/// Reads pieces of results as a MaskReader reads whole ones.
class PieceReader {
 public:
  PieceReader(const MaskReader& reader, impl::DType dtype);

  /// Whether there is a table of kept values, so that all of a value is
  /// compared; without one only whole results are read.
  bool exact() const { return exact_; }

  /// Writes the drop bits of the piece, 64 a word, to the words of its
  /// elements in `words`, which has room for a whole result. Returns the first
  /// element that is neither kept nor dropped, or the first past the piece.
  std::size_t read(const impl::Piece& piece, std::uint64_t* words) const;

 private:
  MaskReading reading_;
  impl::Tensor kept_;
  bool exact_;
};

}  // namespace dropcheck::properties
