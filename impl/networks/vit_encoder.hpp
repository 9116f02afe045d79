#pragma once

#include <cstdint>
#include <vector>

#include "networks/network.hpp"
#include "networks/vit_parts.hpp"

namespace dropcheck::impl::networks {

/// Extents of an encoder. Channels, image side, tokens and width are the
/// law's; `patch` divides the side, `heads` divides the width.
struct VitShape {
  std::int64_t channels = 1;
  std::int64_t side = 8;
  std::int64_t patch = 4;
  std::int64_t width = 8;
  std::int64_t heads = 2;
  std::int64_t hidden = 16;
  int blocks = 12;

  std::int64_t patches() const { return (side / patch) * (side / patch); }
  std::int64_t tokens() const { return 1 + patches(); }
};

template <class T>
struct VitWeights {
  struct Block {
    SelfAttention<T> attention;
    Linear<T> first;
    Linear<T> second;
  };
  Linear<T> embedding;  ///< (channels * patch * patch, width)
  Matrix<T> positions;  ///< (tokens, width); row 0 holds the class token too
  std::vector<Block> blocks;
};

/// Random weights of variance 1 / inputs, small biases; a function of the key
/// only.
template <class T>
VitWeights<T> make_vit_weights(const VitShape& shape, std::uint64_t key);

/// The encoder of a vision transformer, norms before the branches.
///
/// Shape   input (batch, channels, side, side); taps and output (batch,
///         tokens, width): the class token and one token for each patch.
/// Values  tokens = [class; patches * embedding] + positions; per block
///         h += drop_path(attention(norm(h))); h += drop_path(MLP(norm(h)));
///         output norm(h). MLP: linear, GELU, linear. The weights do not
///         depend on the seed.
/// Law     two drop paths a block, one decision a sample each.
/// Throws  as Network.
/// Source  Dosovitskiy et al. 2021, arXiv:2010.11929, section 3.1.
template <class T>
class VitEncoder final : public Network {
 public:
  VitEncoder(const Law& law, const LayerConfig& config, Wiring wiring,
             const VitShape& shape);

  const VitWeights<T>& weights() const { return weights_; }

 private:
  const Tensor& pass(const Tensor& input, bool training) override;
  void embed(const Tensor& input);

  VitShape shape_;
  VitWeights<T> weights_;
  Tensor tokens_;
  Tensor output_;
};

extern template class VitEncoder<float>;
extern template class VitEncoder<double>;

}  // namespace dropcheck::impl::networks
