#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dropcheck/impl/dtype.hpp"
#include "dropcheck/impl/tensor.hpp"

namespace dropcheck::impl {

/// How a layer is built. Plain data: it crosses process borders.
///
/// `drop_probability` is a bare double on purpose: the oracle asks for 1.5 and
/// NaN too, and a right layer refuses them.
struct LayerConfig {
  std::string layer = {};  ///< Name of the law, e.g. "dropout2d".
  double drop_probability = 0.5;
  DType dtype = DType::kFloat32;
  bool in_place = false;
  bool channels_last = false;  ///< channel layers: channel is the last axis.
  bool scale_by_keep = true;   ///< Multiply survivors by 1/keep.
  /// Axes sharing a decision, counted from 0; empty: the law's own.
  std::vector<int> shared_axes = {};
  std::int64_t samples = 0;  ///< drop_connect: masks per call; 0 is one.

  bool operator==(const LayerConfig&) const = default;
};

/// One line for identifiers and replay tokens, without the layer's name:
/// "p=0.1,f32" and, only where they differ from the default, ",in_place",
/// ",channels_last", ",unscaled", ",shared=0+2", ",samples=8".
std::string describe(const LayerConfig& config);

}  // namespace dropcheck::impl
