#include "dropcheck/impl/adapters/protocol.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "endian.hpp"
#include "printable.hpp"

namespace dropcheck::impl::adapters {
namespace {

using nlohmann::json;

// std::from_chars reads "nan" and "infinity" in any case.
double number_from_text(const std::string& text) {
  double value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) {
    throw AdapterError(fmt::format("'{}' is not a number", text));
  }
  return value;
}

DType dtype_from_text(const std::string& text) {
  const auto dtype = dtype_from_name(text);
  if (!dtype) throw AdapterError(fmt::format("unknown dtype '{}'", text));
  return *dtype;
}

Strides strides_from_field(const Message& message) {
  const std::string name = message.field("strides", "compact");
  const auto strides = strides_from_name(name);
  if (!strides) {
    throw AdapterError(fmt::format(
        "strides is '{}', but must be compact, non-negative or any", name));
  }
  return *strides;
}

BlockOptions block_from(const json& object) {
  return {.size = object.at("size"),
          .whole_map = object.at("whole_map"),
          .shared_by_channels = object.at("shared_by_channels"),
          .plain_gamma = object.at("plain_gamma"),
          .fixed_scale = object.at("fixed_scale")};
}

json block_to(const BlockOptions& block) {
  return {{"size", block.size},
          {"whole_map", block.whole_map},
          {"shared_by_channels", block.shared_by_channels},
          {"plain_gamma", block.plain_gamma},
          {"fixed_scale", block.fixed_scale}};
}

NetworkOptions network_from(const json& object) {
  return {.depth = object.at("depth"),
          .width = object.at("width"),
          .heads = object.at("heads")};
}

json network_to(const NetworkOptions& network) {
  return {{"depth", network.depth},
          {"width", network.width},
          {"heads", network.heads}};
}

void read_option(const std::string& key, const json& value,
                 LayerConfig& config) {
  if (key == "layer") {
    config.layer = value;
  } else if (key == "drop_probability") {
    config.drop_probability = number_from_text(value);
  } else if (key == "dtype") {
    config.dtype = dtype_from_text(value);
  } else if (key == "in_place") {
    config.in_place = value;
  } else if (key == "channels_last") {
    config.channels_last = value;
  } else if (key == "scale_by_keep") {
    config.scale_by_keep = value;
  } else if (key == "shared_axes") {
    config.shared_axes = value.get<std::vector<int>>();
  } else if (key == "samples") {
    config.samples = value;
  } else if (key == "block") {
    config.block = block_from(value);
  } else if (key == "network") {
    config.network = network_from(value);
  } else {
    throw AdapterError(fmt::format("unknown option '{}'", key));
  }
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, ',');) {
    parts.push_back(part);
  }
  return parts;
}

}  // namespace

std::string number_to_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return fmt::format("{}", value);
}

std::string suspicion_of(std::span<const std::byte, 8> length) {
  // Text comes first, and the last byte of a long frame's length is 0.
  const auto first = std::to_integer<unsigned char>(length[0]);
  const auto second = std::to_integer<unsigned char>(length[1]);
  const auto is_text = [](unsigned char byte) {
    return byte == '\n' || byte == '\r' || (byte >= ' ' && byte <= '~');
  };
  if (first == '\n' || (is_text(first) && is_text(second))) {
    return fmt::format(
        "; its length reads '{}' as text: does the worker print to its "
        "standard output?",
        printable(length));
  }
  std::array<std::byte, 8> swapped{};
  std::reverse_copy(length.begin(), length.end(), swapped.begin());
  const std::uint64_t other = from_little_endian(swapped);
  if (other > kLongestFrame) return "";
  return fmt::format(
      "; read from the other end it is {}: lengths are little-endian", other);
}

std::uint64_t frame_length(std::span<const std::byte, 8> bytes,
                           std::uint64_t limit) {
  const std::uint64_t length = from_little_endian(bytes);
  if (length <= limit) return length;
  throw AdapterError(fmt::format(
      "a frame of {} bytes is announced, but at most {} are allowed{}", length,
      limit, suspicion_of(bytes)));
}

std::string to_json(const LayerConfig& config) {
  json object = {{"layer", config.layer},
                 {"drop_probability", number_to_text(config.drop_probability)},
                 {"dtype", name_of(config.dtype)},
                 {"in_place", config.in_place},
                 {"channels_last", config.channels_last},
                 {"scale_by_keep", config.scale_by_keep},
                 {"shared_axes", config.shared_axes},
                 {"samples", config.samples}};
  // Workers refuse options that they do not know.
  if (config.layer.starts_with("drop_block")) {
    object["block"] = block_to(config.block);
  }
  if (config.network != NetworkOptions{}) {
    object["network"] = network_to(config.network);
  }
  return object.dump();
}

LayerConfig config_from_json(const std::string& text) {
  LayerConfig config;
  try {
    const json object = json::parse(text);
    for (const auto& [key, value] : object.items()) {
      read_option(key, value, config);
    }
  } catch (const json::exception& error) {
    throw AdapterError(
        fmt::format("malformed configuration: {}", error.what()));
  }
  return config;
}

std::string to_json(const DeclaredOptions& options) {
  json object = json::object();
  for (const auto& [name, value] : options) {
    if (is_flag(name)) {
      object[name] = value == "true";
    } else {
      object[name] = value;
    }
  }
  return object.dump();
}

namespace {

/// Flags are booleans and all other options text.
DeclaredOption option_from(const std::string& name, const json& value) {
  LawOptions ignored;
  if (is_flag(name) && value.is_boolean()) {
    return {name, value.get<bool>() ? "true" : "false"};
  }
  const bool text = value.is_string() && !is_flag(name);
  DeclaredOption option{name, text ? value.get<std::string>() : value.dump()};
  declare(option, ignored);
  return option;
}

}  // namespace

DeclaredOptions options_from_json(const std::string& text) {
  try {
    const json object = json::parse(text);
    if (!object.is_object()) {
      throw AdapterError("options must be a JSON object, but are " + text);
    }
    DeclaredOptions options;
    for (const auto& [name, value] : object.items()) {
      options.push_back(option_from(name, value));
    }
    return options;
  } catch (const json::exception& error) {
    throw AdapterError(fmt::format("malformed options: {}", error.what()));
  } catch (const std::invalid_argument& error) {
    throw AdapterError(error.what());
  }
}

std::string to_json(const MaskRecipe& recipe) {
  json object = json::object();
  for (const auto& [key, value] : parts_of(recipe)) object[key] = value;
  return object.dump();
}

MaskRecipe recipe_from_text(const std::string& text) {
  try {
    if (!text.starts_with('{')) return recipe_called(text);
    const json object = json::parse(text);
    std::vector<RecipePart> parts;
    for (const auto& [key, value] : object.items()) {
      parts.emplace_back(
          key, value.is_string() ? value.get<std::string>() : value.dump());
    }
    return recipe_of(parts);
  } catch (const json::exception& error) {
    throw AdapterError(fmt::format("malformed recipe: {}", error.what()));
  } catch (const std::invalid_argument& error) {
    throw AdapterError(error.what());
  }
}

void describe_to(const Description& description, Message& message) {
  const auto flag = [](bool value) { return std::string(value ? "1" : "0"); };
  std::string dtypes;
  for (const DType dtype : description.dtypes) {
    if (!dtypes.empty()) dtypes += ',';
    dtypes += name_of(dtype);
  }
  message.fields["name"] = description.name;
  message.fields["version"] = description.version;
  message.fields["dtypes"] = dtypes;
  message.fields["reseed"] = flag(description.reseed);
  message.fields["own_state"] = flag(description.own_state);
  message.fields["backward"] = flag(description.backward);
  message.fields["in_place"] = flag(description.in_place);
  message.fields["mask_output"] = flag(description.mask_output);
  message.fields["clone"] = flag(description.clone);
  message.fields["strides"] = name_of(description.strides);
  message.fields["generator"] = description.generator;
  message.fields["options"] = to_json(description.options);
  if (description.recipe) {
    message.fields["recipe"] = to_json(*description.recipe);
  }
}

Description description_from(const Message& message) {
  Description description;
  description.name = message.field("name");
  description.version = message.field("version");
  description.dtypes.clear();
  for (const std::string& name : split(message.field("dtypes", "f32"))) {
    description.dtypes.push_back(dtype_from_text(name));
  }
  description.reseed = message.flag("reseed");
  description.own_state = message.flag("own_state");
  description.backward = message.flag("backward");
  description.in_place = message.flag("in_place");
  description.mask_output = message.flag("mask_output");
  description.clone = message.flag("clone");
  description.strides = strides_from_field(message);
  description.generator = message.field("generator");
  description.options = options_from_json(message.field("options", "{}"));
  if (message.fields.contains("recipe")) {
    description.recipe = recipe_from_text(message.field("recipe"));
  }
  return description;
}

std::string strides_to_text(const Shape& strides) {
  return fmt::format("{}", fmt::join(strides, ","));
}

Shape strides_from_text(const std::string& text) {
  Shape strides;
  for (const std::string& part : split(text)) {
    std::int64_t value = 0;
    const auto [end, error] =
        std::from_chars(part.data(), part.data() + part.size(), value);
    if (error != std::errc{} || end != part.data() + part.size()) {
      throw AdapterError(fmt::format("'{}' is not a stride", part));
    }
    strides.push_back(value);
  }
  return strides;
}

std::int64_t element_span(const Shape& shape, const Shape& strides) {
  if (shape.size() != strides.size()) {
    throw AdapterError(fmt::format("{} strides for a tensor of rank {}",
                                   strides.size(), shape.size()));
  }
  constexpr std::int64_t kLongest = std::int64_t{1} << 32;
  std::int64_t last = 0;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    if (shape[axis] == 0) return 0;
    const std::int64_t steps = shape[axis] - 1;
    const bool fits =
        strides[axis] >= 0 &&
        (steps == 0 || strides[axis] <= (kLongest - last) / steps);
    if (!fits) {
      throw AdapterError(
          fmt::format("strides {} with shape {} are negative or too large",
                      strides_to_text(strides), to_string(shape)));
    }
    last += steps * strides[axis];
  }
  return last + 1;
}

}  // namespace dropcheck::impl::adapters
