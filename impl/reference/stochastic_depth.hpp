#pragma once

#include "reference/masked_layer.hpp"

namespace dropcheck::impl::reference {

/// Stochastic depth by batch: the residual branch of all samples lives or dies
/// at once.
///
/// Shape   any.
/// Values  x / keep (x without scale_by_keep) or 0.
/// Law     one Bernoulli(keep) decision per call.
/// Draws   one decision per call.
/// Source  Huang et al. 2016, arXiv:1603.09382;
///         torchvision.ops.StochasticDepth, mode "batch".
inline MaskRule stochastic_depth(const LayerConfig& config) {
  return {
      .mask_shape = [](const Shape& shape) { return Shape(shape.size(), 1); },
      .response = inverse_keep(config)};
}

}  // namespace dropcheck::impl::reference
