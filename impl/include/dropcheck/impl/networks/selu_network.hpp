#pragma once

#include <cstdint>
#include <vector>

#include "dropcheck/impl/subject.hpp"

namespace dropcheck::impl::networks {

/// Mean and mean square over all activations of one pass.
struct Moments {
  double mean = 0;
  double mean_square = 0;
};

struct SeluShape {
  std::int64_t depth = 32;
  std::int64_t width = 64;
  std::int64_t batch = 16;
};

/// A deep self-normalising network: (linear -> SELU -> dropout) `depth` times,
/// where the dropout is the layer under test.
///
/// Shape   activations (batch, width), f32.
/// Values  input N(0, 1); weights N(0, 1 / width) (LeCun normal, without
///         truncation), fresh for every layer of every pass; no bias. The
///         layer is called in training mode, once per depth.
/// Law     mean 0 and variance 1 are kept through depth by an alpha dropout;
///         exactly so as the width grows. The values of one pass share their
///         weights: one pass is one observation.
/// Draws   normals by Box and Muller from Threefry4x64-20 keyed by (pass key,
///         layer), 32 bits per uniform: |z| < 6.8. The layer's are its own.
/// Throws  std::invalid_argument for an extent below 1 or an output of another
///         shape or dtype; what the layer throws.
/// Source  Klambauer et al. 2017, arXiv:1706.02515, section 2.
class SeluNetwork {
 public:
  /// `dropout` must outlive the network.
  SeluNetwork(const SeluShape& shape, Layer& dropout);

  Moments pass(std::uint64_t key);

 private:
  SeluShape shape_;
  Layer& dropout_;
  std::vector<float> weights_;
  std::vector<float> activations_;
  std::vector<float> products_;
};

/// Fills `values` with independent N(0, 1), a function of key and number only.
void fill_normal(std::uint64_t key, std::uint64_t number,
                 std::vector<float>& values);

}  // namespace dropcheck::impl::networks
