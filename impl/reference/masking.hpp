#pragma once

#include <cstdint>
#include <vector>

#include "dropcheck/impl/config.hpp"
#include "dropcheck/impl/probability.hpp"
#include "dropcheck/impl/random_stream.hpp"
#include "dropcheck/impl/tensor.hpp"

namespace dropcheck::impl::reference {

/// The decisions of one call: 1 for a kept unit, 0 for a dropped one, in
/// row-major order of `shape`. An extent of 1 shares its decision along the
/// tensor's axis.
struct Mask {
  Shape shape;
  std::vector<std::uint8_t> kept;
};

/// What becomes of a value: scale * x + offset if kept, `dropped` if not.
struct Response {
  double scale = 1;
  double offset = 0;
  double dropped = 0;
};

/// Inverted dropout: scale 1 / keep (1 without scale_by_keep), dropped 0. All
/// zeros at drop probability 1. Throws std::domain_error outside [0, 1].
Response inverse_keep(const LayerConfig& config);

/// Keeps mean 0 and variance 1 of its input: scale a, offset -a * drop * c and
/// dropped a * c * keep, where c is SELU's saturation value and
/// a = (keep * (1 + drop * c^2))^(-1/2). Zeros and errors as above.
Response selu_preserving(const LayerConfig& config);

/// Fills `mask` with independent decisions for units of `shape`.
///
/// Draws   one decision per unit, in index order, even when the drop
///         probability is 0 or 1.
void draw_mask(const Shape& shape, Probability probability,
               RandomStream& stream, Mask& mask);

/// Writes the response to `output`, which has the shape and dtype of `input`
/// and may be the input itself. Strides are free; 0 repeats an input element.
///
/// Values  the dtype's arithmetic type (double for f64, else float) holds
///         scale, offset, product and sum; the result is rounded once to the
///         dtype. A scale of 1 and an offset of 0 pass the bits through. A
///         dropped value is selected, so NaN and infinity cannot leak.
/// Throws  std::invalid_argument where shapes or dtypes disagree.
void apply_mask(const Mask& mask, const Response& response,
                const TensorView& input, const TensorView& output);

/// The mask as one entry for each element of a tensor of that shape.
std::vector<std::uint8_t> expanded(const Mask& mask, const Shape& shape);

/// Writes the gradient: scale * grad where kept, 0 where dropped.
void apply_mask_backward(const Mask& mask, const Response& response,
                         const TensorView& grad_output,
                         const TensorView& grad_input);

/// Copies the bits of `input`, unless `output` is the input itself.
void pass_through(const TensorView& input, const TensorView& output);

/// Throws std::invalid_argument, naming layer, rank and rule.
struct RankRule {
  const char* layer;
  std::size_t minimum;
  std::size_t maximum = 8;
};
void require_rank(const RankRule& rule, const Shape& shape);

}  // namespace dropcheck::impl::reference
