#pragma once

#include <utility>

#include "faulty/faulty_layer.hpp"

namespace dropcheck::impl::faulty {

/// A faulty layer that returns its result in memory of its own, of another
/// shape or dtype than is due.
class FaultyResult {
 public:
  FaultyResult(LayerConfig config, const Fault& fault)
      : change_(fault.result), layer_(std::move(config), fault) {}

  Tensor forward(const TensorView& input, bool training) {
    Tensor right(input.dtype, input.shape);
    layer_.forward(input, training, right.view());
    return change_(right);
  }
  void backward(const TensorView& grad_output, const TensorView& grad_input) {
    layer_.backward(grad_output, grad_input);
  }
  void reseed(std::uint64_t seed) { layer_.reseed(seed); }

 private:
  std::function<Tensor(const Tensor&)> change_;
  FaultyLayer layer_;
};

}  // namespace dropcheck::impl::faulty
