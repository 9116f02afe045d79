#include "contract.hpp"

#include <fmt/format.h>

#include <limits>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include "dropcheck/impl/law_options.hpp"

namespace dropcheck::python {
namespace {

using nlohmann::json;

[[noreturn]] void refuse(const std::string& field, const std::string& value,
                         const std::string& rule) {
  throw std::invalid_argument(
      fmt::format("{} is {}, but must be {}", field, value, rule));
}

template <class T>
std::string rule_for() {
  if constexpr (std::is_same_v<T, bool>) return "true or false";
  if constexpr (std::is_same_v<T, std::string>) return "a string";
  if constexpr (std::is_floating_point_v<T>) return "a number";
  if constexpr (std::is_integral_v<T>) {
    return fmt::format("a whole number from {} to {}",
                       std::numeric_limits<T>::min(),
                       std::numeric_limits<T>::max());
  }
  return "a list of strings";
}

// The JSON library turns 1.5 into 1 and -1 into 2^64 - 1 without a word.
template <class T>
bool loses_something(const json& value) {
  if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
    if (!value.is_number_integer()) return true;
    if (value.is_number_unsigned()) {
      return !std::in_range<T>(value.get<std::uint64_t>());
    }
    return !std::in_range<T>(value.get<std::int64_t>());
  } else if constexpr (std::is_floating_point_v<T>) {
    return !value.is_number();
  } else {
    return false;
  }
}

template <class T>
T value_of(const std::string& field, const json& value) {
  if (!loses_something<T>(value)) {
    try {
      return value.get<T>();
    } catch (const json::exception&) {  // said below
    }
  }
  refuse(field, value.dump(-1, ' ', true, json::error_handler_t::replace),
         rule_for<T>());
}

/// The value of a field, or `otherwise` where it is absent or null.
template <class T>
T value_or(const json& object, const std::string& field, T otherwise) {
  const auto found = object.find(field);
  if (found == object.end() || found->is_null()) return otherwise;
  return value_of<T>(field, *found);
}

/// A list of integers, none of which is guessed.
template <class T>
std::vector<T> numbers_of(const std::string& field, const json& value) {
  if (!value.is_array()) refuse(field, value.dump(), "a list of numbers");
  std::vector<T> numbers;
  for (const json& one : value) numbers.push_back(value_of<T>(field, one));
  return numbers;
}

impl::DType dtype_from(const std::string& name) {
  const auto dtype = impl::dtype_from_name(name);
  if (!dtype) refuse("dtype", "'" + name + "'", "f64, f32, f16 or bf16");
  return *dtype;
}

std::vector<impl::DType> dtypes_from(const json& object) {
  std::vector<impl::DType> dtypes;
  for (const auto& name :
       value_or<std::vector<std::string>>(object, "dtypes", {})) {
    dtypes.push_back(dtype_from(name));
  }
  return dtypes;
}

std::string names_of_laws() {
  std::string names;
  for (const impl::Law& law : impl::laws()) {
    names += fmt::format("{}{}", names.empty() ? "" : ", ", law.layer);
  }
  return names;
}

impl::LayerConfig variant_from(const json& object) {
  impl::LayerConfig config;
  if (!object.is_object()) refuse("a variant", object.dump(), "an object");
  for (const auto& [key, value] : object.items()) {
    if (key == "in_place") {
      config.in_place = value_of<bool>(key, value);
    } else if (key == "channels_last") {
      config.channels_last = value_of<bool>(key, value);
    } else if (key == "scale_by_keep") {
      config.scale_by_keep = value_of<bool>(key, value);
    } else if (key == "shared_axes") {
      config.shared_axes = numbers_of<int>(key, value);
    } else if (key == "samples") {
      config.samples = value_of<decltype(config.samples)>(key, value);
    } else if (key == "block_size") {
      config.block.size = value_of<decltype(config.block.size)>(key, value);
    } else {
      refuse("a variant's option", "'" + key + "'",
             "in_place, channels_last, scale_by_keep, shared_axes, samples or "
             "block_size");
    }
  }
  return config;
}

std::vector<impl::LayerConfig> variants_from(const json& contract) {
  std::vector<impl::LayerConfig> variants;
  const auto found = contract.find("variants");
  if (found == contract.end() || found->is_null()) return variants;
  if (!found->is_array()) refuse("variants", found->dump(), "a list");
  for (const json& variant : *found) variants.push_back(variant_from(variant));
  return variants;
}

impl::LawOptions options_from(const json& object, impl::LawOptions options) {
  if (!object.is_object()) refuse("options", object.dump(), "an object");
  for (const auto& [name, value] : object.items()) {
    impl::declare(
        {name, value.is_string() ? value.get<std::string>() : value.dump()},
        options);
  }
  return options;
}

impl::Strides strides_from(const json& contract) {
  const auto name = value_or<std::string>(contract, "strides", "compact");
  const auto strides = impl::strides_from_name(name);
  if (!strides) {
    refuse("strides", "'" + name + "'", "compact, non-negative or any");
  }
  return *strides;
}

}  // namespace

/// A name, or an object of parts.
static impl::MaskRecipe recipe_from(const json& value) {
  if (value.is_string()) return impl::recipe_called(value.get<std::string>());
  if (!value.is_object()) refuse("recipe", value.dump(), "a name or a dict");
  std::vector<impl::RecipePart> parts;
  for (const auto& [key, part] : value.items()) {
    parts.emplace_back(
        key, part.is_string() ? part.get<std::string>() : part.dump());
  }
  return impl::recipe_of(parts);
}

impl::SubjectEntry entry_from(const json& contract) {
  impl::SubjectEntry entry;
  entry.name = value_or<std::string>(contract, "name", "python:layer");
  entry.layer = value_or<std::string>(contract, "layer", "dropout");
  const impl::Law* law = impl::find_law(entry.layer);
  if (law == nullptr || law->network != nullptr) {
    refuse("layer", "'" + entry.layer + "'", "one of " + names_of_laws());
  }
  entry.variants = variants_from(contract);
  entry.strides = strides_from(contract);
  if (const auto found = contract.find("spatial_axes");
      found != contract.end() && !found->is_null()) {
    entry.spatial_axes = value_or<int>(contract, "spatial_axes", 0);
  }
  if (const auto found = contract.find("options");
      found != contract.end() && !found->is_null()) {
    entry.options = options_from(*found, law->options);
  }
  return entry;
}

impl::Description description_from(const json& contract) {
  impl::Description description;
  description.name = value_or<std::string>(contract, "name", "python:layer");
  description.version = value_or<std::string>(contract, "version", "");
  description.generator = value_or<std::string>(contract, "generator", "");
  description.dtypes = dtypes_from(contract);
  if (description.dtypes.empty()) description.dtypes = {impl::DType::kFloat32};
  description.reseed = value_or(contract, "reseed", false);
  description.own_state = value_or(contract, "own_state", false);
  description.backward = value_or(contract, "backward", false);
  description.mask_output = value_or(contract, "mask_output", false);
  if (const auto found = contract.find("recipe");
      found != contract.end() && !found->is_null()) {
    description.recipe = recipe_from(*found);
  }
  description.strides = strides_from(contract);
  for (const auto& variant : variants_from(contract)) {
    description.in_place = description.in_place || variant.in_place;
  }
  return description;
}

properties::Settings settings_from(const json& object) {
  properties::Settings settings;
  const auto profile = value_or<std::string>(object, "profile", "smoke");
  const auto known = properties::profile_from_name(profile);
  if (!known) {
    refuse("profile", "'" + profile + "'", "smoke, pr, nightly or exhaustive");
  }
  settings.profile = *known;
  if (const auto found = object.find("drop_probabilities");
      found != object.end() && !found->is_null()) {
    settings.drop_probabilities =
        numbers_of<double>("drop_probabilities", *found);
  }
  for (const json& shape : value_or<std::vector<json>>(object, "shapes", {})) {
    settings.shapes.push_back(numbers_of<std::int64_t>("shapes", shape));
  }
  settings.dtypes = dtypes_from(object);
  settings.only = value_or<std::vector<std::string>>(object, "only", {});
  settings.seed = value_or<std::uint64_t>(object, "seed", 0);
  settings.alpha = value_or(object, "alpha", settings.alpha);
  settings.share = value_or(object, "share", settings.share);
  settings.threads = value_or(object, "threads", settings.threads);
  settings.call_timeout_seconds =
      value_or(object, "call_timeout", settings.call_timeout_seconds);
  if (object.contains("time_limit") && !object["time_limit"].is_null()) {
    settings.time_limit_seconds = value_or<double>(object, "time_limit", 0);
  }
  if (object.contains("delta") && !object["delta"].is_null()) {
    settings.delta = value_or<double>(object, "delta", 0);
  }
  settings.shrink_limit_seconds = value_or(
      object, "shrink", properties::default_shrink_limit(settings.profile));
  return settings;
}

}  // namespace dropcheck::python
