#pragma once

#include "dropcheck/impl/subject.hpp"
#include "dropcheck/impl/tensor.hpp"

namespace dropcheck::impl::networks {

struct LinearReluParameters {
  Tensor weight;  ///< (out, in)
  Tensor bias;    ///< (out)
};

/// max(0, input * weight^T + bias). Throws std::invalid_argument unless the
/// input is (batch, in) of the weight's dtype.
Tensor linear_relu(const LinearReluParameters& parameters,
                   const TensorView& input);

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
  /// The tensors on both sides of the drop path.
  struct Taps {
    Tensor hidden;
    Tensor output;
  };

  /// `drop_path` must outlive the block.
  LinearReluDropPath(LinearReluParameters parameters, Layer& drop_path);

  Taps forward(const TensorView& input, bool training) const;

 private:
  LinearReluParameters parameters_;
  Layer& drop_path_;
};

}  // namespace dropcheck::impl::networks
