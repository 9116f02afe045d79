#pragma once

#include "reference/masked_layer.hpp"
#include "reference/shared_mask.hpp"

namespace dropcheck::impl::reference {

/// Variational dropout of recurrent input: one mask for all time steps of a
/// sequence.
///
/// Shape   (N, T, C) or (N, T, C, ...): time is axis 1, or the one axis that
///         `shared_axes` names, as 0 in (T, N, C).
/// Values  x / keep or 0.
/// Law     independent Bernoulli(keep) per feature of each sample.
/// Draws   one decision per feature, row-major.
/// Source  Gal and Ghahramani 2016, arXiv:1512.05287.
inline MaskRule variational_dropout(const LayerConfig& config) {
  std::vector<int> axes = config.shared_axes;
  if (axes.empty()) axes = {1};
  return {.mask_shape =
              [axes](const Shape& shape) {
                require_rank({"variational_dropout", 3}, shape);
                return shared_mask_shape("variational_dropout", axes, shape);
              },
          .response = inverse_keep(config)};
}

}  // namespace dropcheck::impl::reference
