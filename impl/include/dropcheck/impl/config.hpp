#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dropcheck/impl/dtype.hpp"
#include "dropcheck/impl/tensor.hpp"

namespace dropcheck::impl {

/// What implementations of drop_block do differently.
struct BlockOptions {
  std::int64_t size = 3;  ///< Extent of a block along every spatial axis.
  /// Centres lie anywhere on the map and the border cuts blocks off; otherwise
  /// only where the whole block fits.
  bool whole_map = false;
  bool shared_by_channels = false;  ///< One mask for all channels of a sample.
  /// gamma = p / block volume, without the correction for the border.
  bool plain_gamma = false;
  /// Survivors are multiplied by 1/keep instead of by entries / kept entries.
  bool fixed_scale = false;

  bool operator==(const BlockOptions&) const = default;
};

/// What a network is made of; 0 is what its law says.
struct NetworkOptions {
  int depth = 0;           ///< Blocks.
  std::int64_t width = 0;  ///< Last extent of every tap.
  int heads = 0;           ///< Of its attention; they divide the width.

  bool operator==(const NetworkOptions&) const = default;
};

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
  std::int64_t samples = 0;     ///< drop_connect: masks per call; 0 is one.
  BlockOptions block = {};      ///< drop_block only.
  NetworkOptions network = {};  ///< Networks only.

  bool operator==(const LayerConfig&) const = default;
};

/// One line for identifiers and replay tokens, without the layer's name:
/// "p=0.1,f32" and, only where they differ from the default, ",in_place",
/// ",channels_last", ",unscaled", ",shared=0+2", ",samples=8", ",block=5",
/// ",whole_map", ",coupled", ",plain_gamma", ",fixed_scale", ",depth=3",
/// ",width=16", ",heads=4".
std::string describe(const LayerConfig& config);

}  // namespace dropcheck::impl
