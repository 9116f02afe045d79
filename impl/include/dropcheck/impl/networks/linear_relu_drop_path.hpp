#pragma once

#include "dropcheck/impl/subject.hpp"
#include "dropcheck/impl/tensor.hpp"

namespace dropcheck::impl::networks {

/// The block Linear -> ReLU -> DropPath, around any layer as its drop path.
///
/// Shape   weight (out, in), bias (out), input (batch, in), output
///         (batch, out); all of one dtype, f32 or f64.
/// Values  hidden = max(0, input * weight^T + bias), output = what the layer
///         makes of it: by the law of drop path each row is 0 or hidden / keep.
/// Draws   those of the layer.
/// Throws  std::invalid_argument where shapes or dtypes disagree; what the
///         layer throws.
class LinearReluDropPath {
 public:
  struct Parameters {
    Tensor weight;
    Tensor bias;
  };
  /// The tensors on both sides of the drop path.
  struct Taps {
    Tensor hidden;
    Tensor output;
  };

  /// `drop_path` must outlive the block.
  LinearReluDropPath(Parameters parameters, Layer& drop_path);

  Taps forward(const TensorView& input, bool training) const;

 private:
  Tensor hidden(const TensorView& input) const;

  Parameters parameters_;
  Layer& drop_path_;
};

}  // namespace dropcheck::impl::networks
