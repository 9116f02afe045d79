#include "dropcheck/impl/config.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace dropcheck::impl {

std::string describe(const LayerConfig& config) {
  std::string text =
      fmt::format("p={},{}", config.drop_probability, name_of(config.dtype));
  if (config.in_place) text += ",in_place";
  if (config.channels_last) text += ",channels_last";
  if (!config.scale_by_keep) text += ",unscaled";
  if (!config.shared_axes.empty()) {
    text += fmt::format(",shared={}", fmt::join(config.shared_axes, "+"));
  }
  if (config.samples != 0) text += fmt::format(",samples={}", config.samples);
  if (config.block.size != BlockOptions{}.size) {
    text += fmt::format(",block={}", config.block.size);
  }
  if (config.block.whole_map) text += ",whole_map";
  if (config.block.shared_by_channels) text += ",coupled";
  if (config.block.plain_gamma) text += ",plain_gamma";
  if (config.block.fixed_scale) text += ",fixed_scale";
  const NetworkOptions& network = config.network;
  if (network.depth != 0) text += fmt::format(",depth={}", network.depth);
  if (network.width != 0) text += fmt::format(",width={}", network.width);
  if (network.heads != 0) text += fmt::format(",heads={}", network.heads);
  return text;
}

}  // namespace dropcheck::impl
