#pragma once

#include "reference/masked_layer.hpp"

namespace dropcheck::impl::reference {

/// Alpha dropout: a dropped element becomes SELU's saturation value, and an
/// affine map restores mean 0 and variance 1.
///
/// Shape   any, rank 0 and empty tensors included.
/// Values  a * x + b if kept and a * c + b if dropped, where
///         c = -lambda * alpha, a = (keep * (1 + drop * c^2))^(-1/2) and
///         b = -a * drop * c. All zeros at drop probability 1. In place if
///         configured.
/// Law     independent Bernoulli(keep) per element.
/// Draws   one decision per element, row-major.
/// Source  Klambauer et al. 2017, arXiv:1706.02515; torch.nn.AlphaDropout.
inline MaskRule alpha_dropout(const LayerConfig& config) {
  return {.mask_shape = [](const Shape& shape) { return shape; },
          .response = selu_preserving(config)};
}

}  // namespace dropcheck::impl::reference
