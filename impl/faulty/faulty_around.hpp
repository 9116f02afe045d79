#pragma once

#include <cstdint>

#include "faulty/faulty_layer.hpp"
#include "reference/attention_dropout.hpp"
#include "reference/drop_connect.hpp"

namespace dropcheck::impl::faulty {

/// Attention dropout whose mask has one fault built in.
class FaultyAttention {
 public:
  FaultyAttention(const LayerConfig& config, const Fault& fault);

  Shape output_shape(const TensorView& scores) const {
    return softmax_.output_shape(scores);
  }
  void forward(const TensorView& scores, bool training,
               const TensorView& output);
  void backward(const TensorView& grad_output, const TensorView& grad_scores);
  void reseed(std::uint64_t seed) { dropout_.reseed(seed); }

 private:
  Around around_;
  FaultyLayer dropout_;
  reference::AttentionDropout softmax_;  // at evaluation: nothing else
};

/// DropConnect whose mask has one fault built in.
class FaultyConnect {
 public:
  FaultyConnect(const LayerConfig& config, const Fault& fault);

  Shape output_shape(const TensorView& weight) const {
    return right_.output_shape(weight);
  }
  void forward(const TensorView& weight, bool training,
               const TensorView& output);
  void backward(const TensorView& grad_output, const TensorView& grad_weight);
  void reseed(std::uint64_t seed) { dropout_.reseed(seed); }

 private:
  std::int64_t samples_;
  FaultyLayer dropout_;
  reference::DropConnect right_;
};

}  // namespace dropcheck::impl::faulty
