#pragma once

#include "reference/masked_layer.hpp"
#include "reference/shared_mask.hpp"

namespace dropcheck::impl::reference {

/// Token dropout (word dropout): a token lives or dies with all its features.
///
/// Shape   (N, T, C): features are axis 2, or the one axis that `shared_axes`
///         names, as 1 in (N, C, T).
/// Values  x / keep (x without scale_by_keep) or 0.
/// Law     independent Bernoulli(keep) per token.
/// Draws   one decision per token, row-major.
/// Source  Iyyer et al. 2015, ACL, P15-1162.
inline MaskRule token_dropout(const LayerConfig& config) {
  std::vector<int> axes = config.shared_axes;
  if (axes.empty()) axes = {2};
  return {.mask_shape =
              [axes](const Shape& shape) {
                require_rank({"token_dropout", 3, 3}, shape);
                return shared_mask_shape("token_dropout", axes, shape);
              },
          .response = inverse_keep(config)};
}

}  // namespace dropcheck::impl::reference
