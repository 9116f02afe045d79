#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "reference/masked_layer.hpp"

namespace dropcheck::impl::reference {

/// Dropout of attention weights, read with V = identity.
///
/// Shape   scores (..., queries, keys), rank 2 or more; the output is the same.
/// Values  w / keep or 0, where w is the softmax of the scores over the keys,
///         rounded to the dtype. Evaluation returns w. Rows no longer sum to 1.
/// Law     independent Bernoulli(keep) per weight.
/// Draws   one decision per weight, row-major.
/// Source  Vaswani et al. 2017, arXiv:1706.03762;
///         torch.nn.functional.scaled_dot_product_attention.
class AttentionDropout {
 public:
  explicit AttentionDropout(const LayerConfig& config);

  Shape output_shape(const TensorView& scores) const;
  void forward(const TensorView& scores, bool training,
               const TensorView& output);
  void backward(const TensorView& grad_output, const TensorView& grad_scores);
  void reseed(std::uint64_t seed) { dropout_.reseed(seed); }
  AttentionDropout clone() const { return *this; }
  std::uint64_t drawn() const { return dropout_.drawn(); }
  int word_bits() const { return dropout_.word_bits(); }
  std::uint64_t drive(const TensorView& scores,
                      std::span<const std::uint64_t> words,
                      const TensorView& output);

 private:
  MaskedLayer dropout_;
  Tensor weights_;
};

}  // namespace dropcheck::impl::reference
