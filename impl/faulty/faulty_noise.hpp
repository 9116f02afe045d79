#pragma once

#include "faulty/fault.hpp"
#include "reference/gaussian_dropout.hpp"

namespace dropcheck::impl::faulty {

/// Gaussian dropout with one fault built in.
class FaultyNoise {
 public:
  FaultyNoise(const LayerConfig& config, const Fault& fault)
      : fault_(fault), layer_(rule_of(config, fault)) {}

  Shape output_shape(const TensorView& input) const { return input.shape; }
  void forward(const TensorView& input, bool training,
               const TensorView& output) {
    const bool noisy = training || fault_.evaluation == Evaluation::kDrops;
    layer_.forward(input, noisy, output);
  }
  void backward(const TensorView& grad_output, const TensorView& grad_input) {
    if (fault_.gradient == Gradient::kNewMask) layer_.redraw();
    layer_.backward(grad_output, grad_input);
  }
  void reseed(std::uint64_t seed) { layer_.reseed(seed); }

 private:
  static reference::NoiseRule rule_of(const LayerConfig& config,
                                      const Fault& fault) {
    reference::NoiseRule right = reference::gaussian_dropout(config);
    return fault.noise ? fault.noise(config, std::move(right)) : right;
  }

  Fault fault_;
  reference::NoiseLayer layer_;
};

}  // namespace dropcheck::impl::faulty
