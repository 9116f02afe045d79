#pragma once

#include <cstdint>
#include <functional>

#include "dropcheck/impl/subject.hpp"

namespace dropcheck::impl {

/// Elements of one result that are neighbours in it, in row-major order.
/// Borrowed for as long as the function runs that takes it.
struct Piece {
  const void* values = nullptr;
  std::int64_t call = 0;   ///< of a request with repeat
  std::int64_t first = 0;  ///< element; a multiple of 64
  std::int64_t count = 0;
};
/// Training calls whose results are shown in pieces.
struct PieceCalls {
  std::int64_t count = 1;
  bool in_place = false;  ///< each piece is an overwritten copy of the input's
};
using TakePiece = std::function<void(const Piece&)>;

/// What a Layer may be, too: one whose training results need never be whole.
class PiecewiseLayer {
 public:
  virtual ~PiecewiseLayer() = default;

  /// The training calls of `Layer::forward`, whose results `take` gets piece by
  /// piece, each still in the cache that it was written to. The pieces of a
  /// call come in order, and the last ones in the order of calls; calls may
  /// take turns between, so that an input is read once for all of them. The
  /// values are those that `forward` would give; there is no gradient of them.
  /// In place, each piece is a copy of the input's that was overwritten.
  /// Returns false, and draws nothing, where this configuration has only whole
  /// results.
  virtual bool forward_in_pieces(const Call& call, const TakePiece& take) = 0;
};

}  // namespace dropcheck::impl
