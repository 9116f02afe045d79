#include <fmt/format.h>

#include <utility>

#include "dropcheck/impl/law.hpp"
#include "dropcheck/impl/registry.hpp"
#include "dropcheck/impl/simple_layer.hpp"
#include "faulty/fault.hpp"
#include "faulty/faulty_around.hpp"
#include "faulty/faulty_layer.hpp"
#include "faulty/faulty_noise.hpp"
#include "faulty/faulty_result.hpp"

namespace dropcheck::impl {
namespace {

using faulty::FaultyAttention;
using faulty::FaultyConnect;
using faulty::FaultyLayer;
using faulty::FaultyNoise;
using faulty::FaultyResult;
using faulty::Memory;
using faulty::Specimen;

/// A wrong layer claims all that the right one can do.
Description description_of(const Specimen& specimen) {
  const Law& law = *find_law(specimen.layer);
  Description description;
  description.name = fmt::format("faulty:{}", specimen.name);
  description.version = DROPCHECK_VERSION;
  description.dtypes = {DType::kFloat64, DType::kFloat32, DType::kFloat16,
                        DType::kBFloat16};
  description.backward = law.has_backward;
  description.in_place = law.has_in_place && !specimen.fault.result;
  description.clone = law.factor == Factor::kMask && !specimen.fault.result;
  description.mask_output =
      specimen.fault.mask_output != faulty::MaskOutput::kRight;
  if (!specimen.fault.recipe.empty()) {
    description.recipe = recipe_called(specimen.fault.recipe);
  }
  description.strides = Strides::kAny;
  return description;
}

std::unique_ptr<Layer> make_layer(const Specimen& specimen,
                                  LayerConfig config) {
  if (config.layer.empty()) config.layer = specimen.layer;
  if (config.layer != specimen.layer ||
      (config.in_place && !find_law(config.layer)->has_in_place)) {
    throw NotSupported(fmt::format("faulty:{} does not do {} {}", specimen.name,
                                   config.layer, describe(config)));
  }
  if (find_law(config.layer)->factor == Factor::kNormal) {
    return std::make_unique<SimpleLayer<FaultyNoise>>(
        FaultyNoise(config, specimen.fault), config.in_place);
  }
  if (config.layer == "attention_dropout") {
    return std::make_unique<SimpleLayer<FaultyAttention>>(
        FaultyAttention(config, specimen.fault), false);
  }
  if (config.layer == "drop_connect") {
    return std::make_unique<SimpleLayer<FaultyConnect>>(
        FaultyConnect(config, specimen.fault), false);
  }
  if (specimen.fault.result) {
    const bool in_place = config.in_place;
    return std::make_unique<SimpleLayer<FaultyResult>>(
        FaultyResult(std::move(config), specimen.fault), in_place);
  }
  const bool in_place =
      config.in_place && specimen.fault.memory != Memory::kNeverInPlace;
  return std::make_unique<SimpleLayer<FaultyLayer>>(
      FaultyLayer(std::move(config), specimen.fault), in_place);
}

std::vector<SubjectEntry> make_zoo() {
  std::vector<SubjectEntry> zoo;
  for (const auto group : {faulty::rate_faults,    faulty::threshold_faults,
                           faulty::value_faults,   faulty::unit_faults,
                           faulty::pattern_faults, faulty::call_faults,
                           faulty::stream_faults,  faulty::mode_faults,
                           faulty::edge_faults,    faulty::trespass_faults,
                           faulty::subtle_faults,  faulty::block_faults,
                           faulty::noise_faults,   faulty::layout_faults,
                           faulty::shape_faults,   faulty::dtype_faults,
                           faulty::special_faults, faulty::state_faults,
                           faulty::alpha_faults,   faulty::channel_faults,
                           faulty::path_faults,    faulty::attention_faults,
                           faulty::replay_faults}) {
    for (const Specimen& specimen : group()) {
      zoo.push_back(faulty::entry_of(specimen));
    }
  }
  return zoo;
}

}  // namespace

SubjectEntry faulty::entry_of(const Specimen& specimen) {
  const auto open = [specimen]() -> std::unique_ptr<Subject> {
    const auto make = [specimen](const LayerConfig& config) {
      return make_layer(specimen, config);
    };
    return std::make_unique<InProcessSubject<decltype(make)>>(
        description_of(specimen), make);
  };
  Trial trial = specimen.trial;
  if (trial.says.empty()) trial.says = words_due(specimen.name);
  return {.name = fmt::format("faulty:{}", specimen.name),
          .layer = specimen.layer,
          .summary = specimen.summary,
          .open = open,
          .variants = specimen.variants,
          .guard = true,
          .caught_by = specimen.caught_by,
          .defect = specimen.defect,
          .trial = trial};
}

const std::vector<SubjectEntry>& faulty_subjects() {
  static const std::vector<SubjectEntry> kZoo = make_zoo();
  return kZoo;
}

}  // namespace dropcheck::impl
