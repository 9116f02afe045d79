#include "dropcheck/impl/adapters/promise.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "dropcheck/impl/adapters/protocol.hpp"

namespace dropcheck::impl::adapters {
namespace {

using nlohmann::json;

constexpr std::int64_t kMostSpatialAxes = 8;

std::vector<LayerConfig> variants_from(const std::string& text,
                                       const std::string& layer) {
  std::vector<LayerConfig> variants;
  try {
    const json list = json::parse(text);
    if (!list.is_array()) throw AdapterError("variants are no JSON array");
    for (const json& one : list) {
      variants.push_back(config_from_json(one.dump()));
      variants.back().layer = layer;
    }
  } catch (const json::exception& error) {
    throw AdapterError(fmt::format("malformed variants: {}", error.what()));
  }
  return variants;
}

std::string variants_to(const std::vector<LayerConfig>& variants) {
  json list = json::array();
  for (const LayerConfig& config : variants) {
    list.push_back(json::parse(to_json(config)));
  }
  return list.dump();
}

}  // namespace

void promise_to(const Promise& promise, Message& message) {
  if (!promise.layer.empty()) message.fields["layer"] = promise.layer;
  if (!promise.summary.empty()) message.fields["summary"] = promise.summary;
  if (promise.spatial_axes) {
    message.fields["spatial_axes"] = std::to_string(*promise.spatial_axes);
  }
  if (!promise.variants.empty()) {
    message.fields["variants"] = variants_to(promise.variants);
  }
}

Promise promise_from(const Message& message) {
  Promise promise;
  promise.layer = message.field("layer");
  if (!promise.layer.empty() && find_law(promise.layer) == nullptr) {
    throw AdapterError(fmt::format(
        "layer is '{}', but must be one that 'dropcheck list layers' shows",
        promise.layer));
  }
  promise.summary = message.field("summary");
  if (message.fields.contains("spatial_axes")) {
    const std::int64_t axes = message.number("spatial_axes", 0);
    if (axes > kMostSpatialAxes) {
      throw AdapterError(
          fmt::format("spatial_axes is {}, but must be at most {}", axes,
                      kMostSpatialAxes));
    }
    promise.spatial_axes = static_cast<int>(axes);
  }
  if (message.fields.contains("variants")) {
    promise.variants = variants_from(message.field("variants"), promise.layer);
  }
  return promise;
}

Promise promise_of(const SubjectEntry& entry) {
  return {entry.layer, entry.summary, entry.spatial_axes, entry.variants};
}

}  // namespace dropcheck::impl::adapters
