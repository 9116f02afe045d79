#include "dropcheck/impl/network_law.hpp"

#include <fmt/format.h>

#include <array>
#include <stdexcept>

#include "dropcheck/impl/law.hpp"

namespace dropcheck::impl {
namespace {

constexpr std::array<std::string_view, 1> kOnly{"only"};
constexpr std::array<std::string_view, 2> kEncoder{"attention", "MLP"};

constexpr NetworkLaw kLinearRelu{.drop_layer = "drop_path",
                                 .branches = kOnly,
                                 .sample = {8},
                                 .tap = {16},
                                 .batch = 64};

constexpr NetworkLaw kVit{.drop_layer = "drop_path",
                          .blocks = 12,
                          .branches = kEncoder,
                          .residual = true,
                          .schedule = Schedule::kLinear,
                          .sample = {1, 8, 8},
                          .tap = {5, 8},
                          .heads = 2};

constexpr NetworkLaw kSelu{.drop_layer = "alpha_dropout",
                           .blocks = 32,
                           .branches = kOnly,
                           .sample = {64},
                           .tap = {64},
                           .batch = 16,
                           .keeps_moments = true};

constexpr std::array<Law, 3> kNetworks{{
    {.layer = "linear_relu_drop_path",
     .summary = "Linear, ReLU and a drop path behind them.",
     .source = "Huang et al. 2016, arXiv:1603.09382",
     .unit = Unit::kSample,
     .minimum_rank = 2,
     .maximum_rank = 2,
     .has_backward = false,
     .network = &kLinearRelu},
    {.layer = "vit_encoder",
     .summary = "A vision transformer's encoder, drop path on both branches of "
                "12 blocks at a rate that rises linearly with depth.",
     .source = "Dosovitskiy et al. 2021, arXiv:2010.11929; Huang et al. 2016, "
               "arXiv:1603.09382; timm's linspace(0, rate, depth)",
     .unit = Unit::kSample,
     .minimum_rank = 4,
     .maximum_rank = 4,
     .has_backward = false,
     .network = &kVit},
    {.layer = "selu_network",
     .summary = "32 times linear, SELU and alpha dropout: mean 0 and variance "
                "1 survive the depth.",
     .source = "Klambauer et al. 2017, arXiv:1706.02515",
     .scaling = Scaling::kSelu,
     .minimum_rank = 2,
     .maximum_rank = 2,
     .has_backward = false,
     .network = &kSelu},
}};

}  // namespace

NetworkLaw network_law(const Law& law, const LayerConfig& config) {
  NetworkLaw network = *law.network;
  const NetworkOptions& options = config.network;
  const auto require = [&](bool holds, const char* rule) {
    if (holds) return;
    throw std::invalid_argument(fmt::format(
        "{} is asked for depth {}, width {} and {} heads, but {}", law.layer,
        options.depth, options.width, options.heads, rule));
  };
  require(options.depth >= 0 && options.width >= 0 && options.heads >= 0,
          "none may be negative");
  if (options.depth > 0) {
    require(network.blocks > 1, "it has one block");
    network.blocks = options.depth;
  }
  if (options.width > 0) {
    const bool of_input = network.sample == network.tap;
    network.tap.back() = options.width;
    if (of_input) network.sample = network.tap;
  }
  if (options.heads > 0) {
    require(network.heads > 0, "it has no attention");
    network.heads = options.heads;
  }
  require(network.heads == 0 || network.tap.back() % network.heads == 0,
          "heads must divide the width");
  return network;
}

std::span<const Law> network_laws() { return kNetworks; }

double scheduled_rate(const NetworkLaw& law, double rate, int block) {
  if (law.schedule == Schedule::kConstant || law.blocks == 1) return rate;
  return rate * block / (law.blocks - 1);
}

}  // namespace dropcheck::impl
