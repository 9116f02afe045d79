#include "reference/layers.hpp"

#include <fmt/format.h>

#include <array>
#include <stdexcept>
#include <utility>

#include "dropcheck/impl/law.hpp"
#include "dropcheck/impl/simple_layer.hpp"
#include "reference/alpha_dropout.hpp"
#include "reference/attention_dropout.hpp"
#include "reference/broadcast_dropout.hpp"
#include "reference/drop_block.hpp"
#include "reference/drop_connect.hpp"
#include "reference/drop_path.hpp"
#include "reference/dropout.hpp"
#include "reference/dropout1d.hpp"
#include "reference/dropout2d.hpp"
#include "reference/dropout3d.hpp"
#include "reference/feature_alpha_dropout.hpp"
#include "reference/gaussian_dropout.hpp"
#include "reference/spatial_dropout.hpp"
#include "reference/stochastic_depth.hpp"
#include "reference/token_dropout.hpp"
#include "reference/variational_dropout.hpp"

namespace dropcheck::impl::reference {
namespace {

constexpr std::array<std::pair<std::string_view, MakeRule>, 14> kRules{{
    {"dropout", dropout},
    {"dropout1d", dropout1d},
    {"dropout2d", dropout2d},
    {"dropout3d", dropout3d},
    {"alpha_dropout", alpha_dropout},
    {"feature_alpha_dropout", feature_alpha_dropout},
    {"drop_path", drop_path},
    {"stochastic_depth", stochastic_depth},
    {"broadcast_dropout", broadcast_dropout},
    {"spatial_dropout", spatial_dropout},
    {"variational_dropout", variational_dropout},
    {"token_dropout", token_dropout},
    {"drop_block2d", drop_block2d},
    {"drop_block3d", drop_block3d},
}};

void require_in_place_allowed(const LayerConfig& config) {
  const Law* const law = find_law(config.layer);
  if (config.in_place && law != nullptr && !law->has_in_place) {
    throw NotSupported(fmt::format("{} does not work in place", config.layer));
  }
}

}  // namespace

MakeRule find_rule(std::string_view layer) {
  for (const auto& [name, rule] : kRules) {
    if (name == layer) return rule;
  }
  return nullptr;
}

std::unique_ptr<Layer> make_layer(const LayerConfig& config) {
  require_in_place_allowed(config);
  if (const MakeRule rule = find_rule(config.layer)) {
    return std::make_unique<SimpleLayer<MaskedLayer>>(
        MaskedLayer(config, rule(config)), config.in_place);
  }
  if (config.layer == "attention_dropout") {
    return std::make_unique<SimpleLayer<AttentionDropout>>(
        AttentionDropout(config), false);
  }
  if (config.layer == "gaussian_dropout") {
    return std::make_unique<SimpleLayer<NoiseLayer>>(
        NoiseLayer(gaussian_dropout(config)), config.in_place);
  }
  if (config.layer == "drop_connect") {
    return std::make_unique<SimpleLayer<DropConnect>>(DropConnect(config),
                                                      false);
  }
  throw std::invalid_argument(
      fmt::format("there is no reference layer called '{}'", config.layer));
}

}  // namespace dropcheck::impl::reference
