#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "reference/masked_layer.hpp"

namespace dropcheck::impl::reference {

/// DropConnect: dropout of weights, read with identity activations.
///
/// Shape   weight (...), rank 1 to 7; the output is the same, or
///         (samples, ...) with `samples` independent masks.
/// Values  w / keep or 0. Evaluation returns w, once per sample.
/// Law     independent Bernoulli(keep) per weight (and sample).
/// Draws   one decision per output element, row-major.
/// Errors  std::invalid_argument for a negative number of samples.
/// Source  Wan et al. 2013, ICML, PMLR 28(3).
class DropConnect {
 public:
  explicit DropConnect(const LayerConfig& config);

  Shape output_shape(const TensorView& weight) const;
  void forward(const TensorView& weight, bool training,
               const TensorView& output);
  /// The gradient of a weight is summed over its samples, in double.
  void backward(const TensorView& grad_output, const TensorView& grad_weight);
  void reseed(std::uint64_t seed) { dropout_.reseed(seed); }
  DropConnect clone() const { return *this; }
  std::uint64_t drawn() const { return dropout_.drawn(); }
  int word_bits() const { return dropout_.word_bits(); }
  std::uint64_t drive(const TensorView& weight,
                      std::span<const std::uint64_t> words,
                      const TensorView& output);

 private:
  MaskedLayer dropout_;
  std::int64_t samples_;
};

}  // namespace dropcheck::impl::reference
