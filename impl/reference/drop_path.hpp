#pragma once

#include "reference/masked_layer.hpp"

namespace dropcheck::impl::reference {

/// DropPath, stochastic depth by row: the residual branch of a sample lives or
/// dies as a whole.
///
/// Shape   (N, ...), rank 1 or more.
/// Values  x / keep (x without scale_by_keep) or 0.
/// Law     independent Bernoulli(keep) per sample.
/// Draws   one decision per sample, in order.
/// Source  Huang et al. 2016, arXiv:1603.09382; timm.layers.DropPath.
inline MaskRule drop_path(const LayerConfig& config) {
  const auto one_per_sample = [](const Shape& shape) {
    require_rank({"drop_path", 1}, shape);
    Shape units(shape.size(), 1);
    units[0] = shape[0];
    return units;
  };
  return {.mask_shape = one_per_sample, .response = inverse_keep(config)};
}

}  // namespace dropcheck::impl::reference
