#include "networks/linear_relu_network.hpp"

#include <cmath>
#include <utility>
#include <vector>

#include "dropcheck/impl/networks/selu_network.hpp"

namespace dropcheck::impl::networks {
namespace {

Tensor random_tensor(DType dtype, const Shape& shape, std::uint64_t number,
                     double deviation) {
  Tensor tensor(dtype, shape);
  std::vector<float> normals(static_cast<std::size_t>(tensor.size()));
  fill_normal(1, number, normals);
  for (std::int64_t i = 0; i < tensor.size(); ++i) {
    const double z = static_cast<double>(normals[static_cast<std::size_t>(i)]);
    tensor.view().set(i, deviation * z);
  }
  return tensor;
}

}  // namespace

LinearReluNetwork::LinearReluNetwork(const Law& law, const LayerConfig& config,
                                     Wiring wiring)
    : Network(law, config, std::move(wiring)) {
  const std::int64_t in = this->law().sample[0];
  const std::int64_t out = this->law().tap[0];
  parameters_.weight = random_tensor(config.dtype, {out, in}, 0,
                                     1 / std::sqrt(static_cast<double>(in)));
  parameters_.bias = random_tensor(config.dtype, {out}, 1, 0.1);
}

const Tensor& LinearReluNetwork::pass(const Tensor& input, bool training) {
  branch(0) = linear_relu(parameters_, input.view());
  return join(0, nullptr, training);
}

}  // namespace dropcheck::impl::networks
