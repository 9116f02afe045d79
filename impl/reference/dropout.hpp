#pragma once

#include "reference/masked_layer.hpp"

namespace dropcheck::impl::reference {

/// Dropout: every element lives or dies on its own.
///
/// Shape   any, rank 0 and empty tensors included.
/// Values  x / keep or 0; in place if configured.
/// Law     independent Bernoulli(keep) per element.
/// Draws   one decision per element, row-major.
/// Source  Srivastava et al. 2014, JMLR 15, section 4, with the scale moved to
///         training (inverted dropout); torch.nn.Dropout.
inline MaskRule dropout(const LayerConfig& config) {
  return {.mask_shape = [](const Shape& shape) { return shape; },
          .response = inverse_keep(config)};
}

}  // namespace dropcheck::impl::reference
