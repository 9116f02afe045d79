#pragma once

#include <cstdint>
#include <vector>

#include "networks/matrix.hpp"
#include "networks/network.hpp"

namespace dropcheck::impl::networks {

/// A deep SELU network: (linear -> SELU -> alpha dropout) once a block.
///
/// Shape   input, taps and output (batch, width).
/// Values  weights N(0, 1 / width) (LeCun normal, without truncation), no
///         bias. Reseeding initialises them anew.
/// Law     for input N(0, 1) mean 0 and mean square 1 are kept at every tap,
///         over seeds; exactly so as the width grows.
/// Draws   normals as fill_normal, keyed by seed and block.
/// Throws  as Network.
/// Source  Klambauer et al. 2017, arXiv:1706.02515, section 2.
template <class T>
class SeluStack final : public Network {
 public:
  SeluStack(const Law& law, const LayerConfig& config, Wiring wiring);

  /// Weight matrix (in, out) of a block.
  const Matrix<T>& weight(int block) const {
    return weights_[static_cast<std::size_t>(block)];
  }

 private:
  const Tensor& pass(const Tensor& input, bool training) override;
  void begin(std::uint64_t seed) override;

  std::vector<Matrix<T>> weights_;
};

extern template class SeluStack<float>;
extern template class SeluStack<double>;

}  // namespace dropcheck::impl::networks
