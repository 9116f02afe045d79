#include <fmt/format.h>

#include <string>

#include "dropcheck/impl/law.hpp"
#include "dropcheck/impl/registry.hpp"
#include "dropcheck/impl/simple_layer.hpp"
#include "reference/layers.hpp"

namespace dropcheck::impl {
namespace {

Description description_of(const Law& law) {
  Description description;
  description.name = fmt::format("builtin:{}", law.layer);
  description.version = DROPCHECK_VERSION;
  description.dtypes = {DType::kFloat64, DType::kFloat32, DType::kFloat16,
                        DType::kBFloat16};
  description.backward = law.has_backward;
  description.in_place = law.has_in_place;
  description.clone = true;
  if (law.factor == Factor::kMask && law.unit != Unit::kBlock) {
    description.recipe = recipe_called("dropcheck");
  }
  description.mask_output =
      law.factor == Factor::kMask && law.base == Base::kInput;
  description.strides = Strides::kAny;
  description.generator = "philox4x32-10";
  return description;
}

std::unique_ptr<Subject> open(const Law& law) {
  const auto make = [layer = std::string(law.layer)](LayerConfig config) {
    if (config.layer.empty()) config.layer = layer;
    if (config.layer != layer) {
      throw NotSupported(
          fmt::format("builtin:{} is not {}", layer, config.layer));
    }
    return reference::make_layer(config);
  };
  return std::make_unique<InProcessSubject<decltype(make)>>(description_of(law),
                                                            make);
}

/// What implementations do: timm, the first public code (miguelvr/dropblock),
/// and a scale of 1/keep. The plain configuration is torchvision's.
std::vector<BlockOptions> block_variants() {
  return {{.whole_map = true, .shared_by_channels = true},
          {.whole_map = true, .shared_by_channels = true, .plain_gamma = true},
          {.size = 2, .whole_map = true},
          {.size = 2, .fixed_scale = true}};
}

std::vector<LayerConfig> variants_of(const Law& law) {
  const std::string layer(law.layer);
  std::vector<LayerConfig> variants;
  if (law.has_in_place) {
    variants.push_back({.layer = layer, .in_place = true});
  }
  if (law.unit == Unit::kChannel && law.scaling == Scaling::kInverseKeep) {
    variants.push_back({.layer = layer, .channels_last = true});
  }
  if (law.unit == Unit::kSample || law.layer == "token_dropout") {
    variants.push_back({.layer = layer, .scale_by_keep = false});
  }
  if (law.unit == Unit::kSharedAxes && law.shared_axis < 0) {
    variants.push_back({.layer = layer, .shared_axes = {0}});
    variants.push_back({.layer = layer, .shared_axes = {1, 2}});
  }
  // Time before the batch, features before the tokens.
  if (law.shared_axis > 0) {
    variants.push_back({.layer = layer, .shared_axes = {law.shared_axis - 1}});
  }
  if (law.unit == Unit::kBlock) {
    for (const BlockOptions& block : block_variants()) {
      variants.push_back({.layer = layer, .block = block});
    }
    variants.push_back({.layer = layer, .scale_by_keep = false});
  }
  if (law.layer == "drop_connect") {
    variants.push_back({.layer = layer, .samples = 8});
  }
  return variants;
}

std::vector<SubjectEntry> make_entries() {
  std::vector<SubjectEntry> entries;
  for (const Law& law : laws()) {
    entries.push_back({.name = fmt::format("builtin:{}", law.layer),
                       .layer = std::string(law.layer),
                       .summary = std::string(law.summary),
                       .open = [&law] { return open(law); },
                       .variants = variants_of(law),
                       .caught_by = {},
                       .defect = {}});
  }
  return entries;
}

}  // namespace

const std::vector<SubjectEntry>& builtin_subjects() {
  static const std::vector<SubjectEntry> kEntries = make_entries();
  return kEntries;
}

}  // namespace dropcheck::impl
