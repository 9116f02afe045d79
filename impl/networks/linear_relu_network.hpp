#pragma once

#include "dropcheck/impl/networks/linear_relu_drop_path.hpp"
#include "networks/network.hpp"

namespace dropcheck::impl::networks {

/// Linear -> ReLU -> drop path with fixed random weights, as a network with
/// one tap. Shapes, values and draws as LinearReluDropPath.
class LinearReluNetwork final : public Network {
 public:
  LinearReluNetwork(const Law& law, const LayerConfig& config, Wiring wiring);

  const LinearReluParameters& parameters() const { return parameters_; }

 private:
  const Tensor& pass(const Tensor& input, bool training) override;

  LinearReluParameters parameters_;
};

}  // namespace dropcheck::impl::networks
