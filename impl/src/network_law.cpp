#include "dropcheck/impl/network_law.hpp"

#include <array>

#include "dropcheck/impl/law.hpp"

namespace dropcheck::impl {
namespace {

constexpr std::array<std::string_view, 1> kOnly{"only"};
constexpr std::array<std::string_view, 2> kEncoder{"attention", "MLP"};

constexpr std::array<std::int64_t, 1> kFeatures{8};
constexpr std::array<std::int64_t, 1> kHidden{16};
constexpr NetworkLaw kLinearRelu{.drop_layer = "drop_path",
                                 .branches = kOnly,
                                 .sample = kFeatures,
                                 .tap = kHidden,
                                 .batch = 64};

constexpr std::array<std::int64_t, 3> kImage{1, 8, 8};
constexpr std::array<std::int64_t, 2> kTokens{5, 8};
constexpr NetworkLaw kVit{.drop_layer = "drop_path",
                          .blocks = 12,
                          .branches = kEncoder,
                          .residual = true,
                          .schedule = Schedule::kLinear,
                          .sample = kImage,
                          .tap = kTokens};

constexpr std::array<std::int64_t, 1> kWidth{64};
constexpr NetworkLaw kSelu{.drop_layer = "alpha_dropout",
                           .blocks = 32,
                           .branches = kOnly,
                           .sample = kWidth,
                           .tap = kWidth,
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

std::span<const Law> network_laws() { return kNetworks; }

double scheduled_rate(const NetworkLaw& law, double rate, int block) {
  if (law.schedule == Schedule::kConstant || law.blocks == 1) return rate;
  return rate * block / (law.blocks - 1);
}

}  // namespace dropcheck::impl
