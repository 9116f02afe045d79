#include "law_candidates.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace dropcheck::properties {
namespace {

std::string axes_text(const std::vector<int>& axes) {
  return fmt::format("sharing ax{} {}", axes.size() == 1 ? "is" : "es",
                     fmt::join(axes, " and "));
}

std::string options_text(const impl::LayerConfig& config) {
  std::vector<std::string> words;
  if (config.channels_last) words.emplace_back("channels last");
  if (!config.scale_by_keep) words.emplace_back("survivors not scaled");
  if (!config.shared_axes.empty()) {
    words.push_back(axes_text(config.shared_axes));
  }
  if (config.samples > 0) {
    words.push_back(fmt::format("{} masks a call", config.samples));
  }
  return fmt::format("{}", fmt::join(words, ", "));
}

/// The options of drop_block. The size is always told: no layer has one by
/// nature.
std::string block_options_text(const impl::LayerConfig& config) {
  const impl::BlockOptions& block = config.block;
  std::vector<std::string> words = {fmt::format("blocks of {}", block.size)};
  if (block.whole_map) words.emplace_back("centres anywhere on the map");
  if (block.shared_by_channels) {
    words.emplace_back("one mask for all channels");
  }
  if (block.plain_gamma) words.emplace_back("gamma without the border");
  if (!config.scale_by_keep) words.emplace_back("survivors not scaled");
  if (config.scale_by_keep && block.fixed_scale) {
    words.emplace_back("scale 1/keep");
  }
  return fmt::format("{}", fmt::join(words, ", "));
}

/// The axes that share a decision in the results that were read.
std::vector<int> shared_axes_of(const Identification& found) {
  std::vector<int> axes;
  const RankReading& main = found.ranks[*found.rank];
  for (std::size_t axis = 0; main.shared && axis < main.shared->size();
       ++axis) {
    if ((*main.shared)[axis]) axes.push_back(static_cast<int>(axis));
  }
  return axes;
}

/// How many results one input gave, where they stand on an axis of their own.
std::int64_t samples_of(const Identification& found) {
  const RankReading& main = found.ranks[*found.rank];
  const bool more = main.output.size() == main.input.size() + 1;
  return more ? main.output.front() : 0;
}

/// A variant of a reference layer, with the numbers that were seen.
impl::LayerConfig fitted(const impl::Law& law, impl::LayerConfig config,
                         const Identification& found) {
  config.drop_probability = found.config.drop_probability;
  config.dtype = found.config.dtype;
  config.in_place = false;
  const bool any_axes = law.shared_axis < 0 && !config.shared_axes.empty();
  if (any_axes) config.shared_axes = shared_axes_of(found);
  if (config.samples > 0) config.samples = samples_of(found);
  return config;
}

/// Laws of a mask with units, plain and with the options that their reference
/// layers have.
std::vector<LawCandidate> mask_candidates(const Identification& found) {
  std::vector<LawCandidate> all;
  const auto add = [&](const impl::Law& law, const impl::LayerConfig& config) {
    const auto same = [&](const LawCandidate& other) {
      return other.law.layer == law.layer && other.config == config;
    };
    if (std::none_of(all.begin(), all.end(), same)) {
      all.push_back({law, config, options_text(config)});
    }
  };
  for (const impl::SubjectEntry& entry : impl::builtin_subjects()) {
    const impl::Law law = impl::law_of(entry);
    if (law.unit == impl::Unit::kBlock || law.factor != impl::Factor::kMask) {
      continue;
    }
    add(law, fitted(law, {.layer = entry.layer}, found));
    for (const impl::LayerConfig& variant : entry.variants) {
      add(law, fitted(law, variant, found));
    }
    // Some libraries read a channel law's input of one rank less as unbatched.
    if (law.unit == impl::Unit::kChannel && law.spatial_axes == 0 &&
        law.maximum_rank <= 5) {
      impl::Law unbatched = law;
      unbatched.spatial_axes = law.maximum_rank - 2;
      all.push_back(
          {unbatched, fitted(law, {.layer = entry.layer}, found),
           fmt::format("rank {} is unbatched", unbatched.spatial_axes + 1)});
    }
  }
  return all;
}

impl::LayerConfig plain_config(const Identification& found) {
  return {.drop_probability = found.config.drop_probability,
          .dtype = found.config.dtype};
}

/// Laws of blocks, as they were seen, with each formula for gamma.
std::vector<LawCandidate> block_candidates(const Identification& found) {
  const BlockReading& seen = *found.blocks;
  impl::LayerConfig config = plain_config(found);
  config.block.size = *std::max_element(seen.sizes.begin(), seen.sizes.end());
  config.block.whole_map = seen.whole_map;
  config.block.shared_by_channels =
      std::find(seen.shared.begin(), seen.shared.end(), 1) != seen.shared.end();
  config.block.fixed_scale = !seen.measured_scale;
  if (found.slope && *found.slope == 1) {
    config.scale_by_keep = false;
    config.block.fixed_scale = false;
  }
  std::vector<LawCandidate> all;
  for (const impl::Law& law : impl::laws()) {
    if (law.unit != impl::Unit::kBlock) continue;
    config.layer = law.layer;
    for (const bool plain : {false, true}) {
      config.block.plain_gamma = plain;
      all.push_back({law, config, block_options_text(config)});
    }
  }
  return all;
}

std::vector<LawCandidate> noise_candidates(const Identification& found) {
  std::vector<LawCandidate> all;
  for (const impl::Law& law : impl::laws()) {
    if (law.factor == impl::Factor::kMask) continue;
    impl::LayerConfig config = plain_config(found);
    config.layer = law.layer;
    all.push_back({law, config, ""});
  }
  return all;
}

}  // namespace

std::vector<LawCandidate> law_candidates(const Identification& found) {
  if (found.blocks) return block_candidates(found);
  if (found.kind == ValueKind::kNoise) return noise_candidates(found);
  return mask_candidates(found);
}

}  // namespace dropcheck::properties
