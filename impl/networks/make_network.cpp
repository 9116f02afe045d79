#include <fmt/format.h>

#include <stdexcept>
#include <utility>

#include "networks/linear_relu_network.hpp"
#include "networks/network.hpp"
#include "networks/selu_stack.hpp"
#include "networks/vit_encoder.hpp"

namespace dropcheck::impl::networks {
namespace {

VitShape vit_shape(const NetworkLaw& law) {
  return {.channels = law.sample[0],
          .side = law.sample[1],
          .width = law.tap[1],
          .heads = law.heads,
          .hidden = 2 * law.tap[1],
          .blocks = law.blocks};
}

template <class T>
std::unique_ptr<Layer> make(const Law& law, const LayerConfig& config,
                            Wiring wiring) {
  if (law.layer == "vit_encoder") {
    return std::make_unique<VitEncoder<T>>(law, config, std::move(wiring),
                                           vit_shape(network_law(law, config)));
  }
  if (law.layer == "selu_network") {
    return std::make_unique<SeluStack<T>>(law, config, std::move(wiring));
  }
  if (law.layer == "linear_relu_drop_path") {
    return std::make_unique<LinearReluNetwork>(law, config, std::move(wiring));
  }
  throw std::invalid_argument(
      fmt::format("there is no reference network called '{}'", law.layer));
}

}  // namespace

std::unique_ptr<Layer> make_network(const Law& law, const LayerConfig& config,
                                    Wiring wiring) {
  return config.dtype == DType::kFloat64
             ? make<double>(law, config, std::move(wiring))
             : make<float>(law, config, std::move(wiring));
}

}  // namespace dropcheck::impl::networks
