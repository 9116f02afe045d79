#include "dropcheck/impl/odd_subjects.hpp"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "dropcheck/impl/simple_layer.hpp"
#include "odd/odd_layer.hpp"

namespace dropcheck::impl {
namespace {

using odd::Oddity;
using odd::OddLayer;

Description description_of(const Oddity& oddity, const Law& law) {
  Description description;
  description.name = fmt::format("odd:{}", oddity.name);
  description.version = DROPCHECK_VERSION;
  description.dtypes = {DType::kFloat64, DType::kFloat32, DType::kFloat16,
                        DType::kBFloat16};
  description.backward = law.has_backward;
  description.in_place = law.has_in_place;
  description.clone = true;
  description.strides = Strides::kAny;
  return description;
}

std::unique_ptr<Layer> make_layer(const Oddity& oddity, LayerConfig config) {
  if (config.layer.empty()) config.layer = oddity.layer;
  if (config.layer != oddity.layer ||
      (config.in_place && !find_law(config.layer)->has_in_place)) {
    throw NotSupported(fmt::format("odd:{} does not do {} {}", oddity.name,
                                   config.layer, describe(config)));
  }
  return std::make_unique<SimpleLayer<OddLayer>>(OddLayer(config, oddity),
                                                 config.in_place);
}

SubjectEntry entry_of(const Oddity& oddity) {
  SubjectEntry entry;
  entry.name = fmt::format("odd:{}", oddity.name);
  entry.layer = oddity.layer;
  entry.summary = oddity.summary;
  entry.options = oddity.options;
  const Law& law = *find_law(oddity.layer);
  if (law.has_in_place) {
    entry.variants.push_back({.layer = oddity.layer, .in_place = true});
  }
  entry.open = [oddity, &law]() -> std::unique_ptr<Subject> {
    const auto make = [oddity](const LayerConfig& config) {
      return make_layer(oddity, config);
    };
    return std::make_unique<InProcessSubject<decltype(make)>>(
        description_of(oddity, law), make);
  };
  return entry;
}

std::vector<SubjectEntry> make_all() {
  std::vector<SubjectEntry> all;
  for (const auto group :
       {odd::odd_draws, odd::odd_generators, odd::odd_values}) {
    for (const Oddity& oddity : group()) all.push_back(entry_of(oddity));
  }
  return all;
}

}  // namespace

const std::vector<SubjectEntry>& odd_subjects() {
  static const std::vector<SubjectEntry> kAll = make_all();
  return kAll;
}

}  // namespace dropcheck::impl
