#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "dropcheck/impl/config.hpp"
#include "dropcheck/impl/piecewise.hpp"
#include "dropcheck/impl/random_stream.hpp"
#include "dropcheck/impl/tensor.hpp"

namespace dropcheck::impl::reference {

/// A noise law in two sentences: what is drawn for every element, and what
/// becomes of it.
struct NoiseRule {
  /// Fills one number for every element.
  std::function<void(RandomStream&, std::span<double>)> draw;
  /// The result for an input and its number.
  double (*combine)(double x, double drawn) = nullptr;
};

/// The layer that follows a rule: noise in training, the identity at
/// evaluation.
///
/// Shape   any; the output has the input's shape and dtype.
/// Values  combined in the dtype's arithmetic (double for f64, else float) and
///         rounded once.
/// Draws   as the rule says for each training call; none at evaluation.
class NoiseLayer {
 public:
  explicit NoiseLayer(NoiseRule rule) : rule_(std::move(rule)) {}

  Shape output_shape(const TensorView& input) const { return input.shape; }
  void forward(const TensorView& input, bool training,
               const TensorView& output);

  /// Calls of `forward` in training, one after the other, piece by piece. False
  /// for a tensor that is not compact.
  bool forward_in_pieces(const TensorView& input, PieceCalls calls,
                         const TakePiece& take);

  /// grad * number of the latest forward call. Throws std::invalid_argument
  /// unless `grad_output` has the shape of that call.
  void backward(const TensorView& grad_output, const TensorView& grad_input);

  void reseed(std::uint64_t seed) { stream_.reseed(seed); }
  NoiseLayer clone() const { return *this; }
  std::uint64_t drawn() const { return stream_.drawn(); }

  /// Draws anew, as a gradient does that has lost its numbers.
  void redraw() { rule_.draw(stream_, drawn_); }

 private:
  void show_pieces(const TensorView& input, std::int64_t call, bool in_place,
                   const TakePiece& take);

  NoiseRule rule_;
  RandomStream stream_;
  std::vector<double> drawn_;
  std::vector<std::byte> piece_;
  std::optional<Shape> shape_;  // of the latest call
  bool training_ = false;       // in the latest call
};

}  // namespace dropcheck::impl::reference
