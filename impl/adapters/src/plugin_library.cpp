#include "plugin_library.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "dropcheck/impl/adapters/protocol.hpp"

namespace dropcheck::impl::adapters {
namespace {

using nlohmann::json;
using Getter = const dropcheck_plugin* (*)(std::uint32_t);

constexpr const char* kGetter = "dropcheck_plugin_get";
constexpr std::uint32_t kMostLayers = 256;
constexpr std::size_t kLongestDescription = std::size_t{1} << 20;

Getter getter_of(const std::string& path) {
  // Without a slash the loader would look elsewhere.
  const bool local = path.find('/') == std::string::npos;
  void* library =
      ::dlopen((local ? "./" + path : path).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw AdapterError(::dlerror());
  void* symbol = ::dlsym(library, kGetter);
  if (symbol == nullptr) {
    throw AdapterError(
        fmt::format("the library exports no function {}: it is no plug-in, or "
                    "hides its symbols",
                    kGetter));
  }
  Getter getter = nullptr;
  static_assert(sizeof getter == sizeof symbol);
  std::memcpy(&getter, &symbol, sizeof getter);
  return getter;
}

void require_functions(const dropcheck_plugin& plugin, std::uint32_t index) {
  if (plugin.abi != DROPCHECK_PLUGIN_ABI) {
    throw AdapterError(fmt::format(
        "the library is built for version {} of the plug-in interface, but "
        "this "
        "program "
        "has version {}: compile it with the dropcheck_plugin.h of this one",
        plugin.abi, DROPCHECK_PLUGIN_ABI));
  }
  // What came behind destroy is optional.
  constexpr std::size_t kLeast = offsetof(dropcheck_plugin, forward_with_mask);
  if (plugin.size < kLeast) {
    throw AdapterError(fmt::format(
        "layer {} says that its dropcheck_plugin has {} bytes, but must have "
        "at least {}",
        index, plugin.size, kLeast));
  }
  const std::pair<const char*, bool> required[] = {
      {"describe", plugin.describe != nullptr},
      {"create", plugin.create != nullptr},
      {"forward", plugin.forward != nullptr},
      {"destroy", plugin.destroy != nullptr}};
  for (const auto& [name, there] : required) {
    if (there) continue;
    throw AdapterError(fmt::format("layer {} has no function {}", index, name));
  }
}

std::vector<DType> dtypes_from(const json& list) {
  std::vector<DType> dtypes;
  for (const std::string name : list) {
    const auto dtype = dtype_from_name(name);
    if (!dtype) throw AdapterError(fmt::format("unknown dtype '{}'", name));
    dtypes.push_back(*dtype);
  }
  if (dtypes.empty()) throw AdapterError("dtypes is empty");
  return dtypes;
}

Strides strides_of(const std::string& name) {
  const auto strides = strides_from_name(name);
  if (strides) return *strides;
  throw AdapterError(fmt::format(
      "strides is '{}', but must be compact, non-negative or any", name));
}

void read_key(const std::string& key, const json& value, PluginEntry& entry) {
  Description& description = entry.description;
  if (key == "dtypes") {
    description.dtypes = dtypes_from(value);
  } else if (key == "name") {
    description.name = value;
  } else if (key == "version") {
    description.version = value;
  } else if (key == "generator") {
    description.generator = value;
  } else if (key == "recipe") {
    description.recipe = recipe_from_text(
        value.is_string() ? value.get<std::string>() : value.dump());
  } else if (key == "own_state") {
    description.own_state = value;
  } else if (key == "strides") {
    description.strides = strides_of(value);
  } else if (key == "options") {
    description.options = options_from_json(value.dump());
  } else {
    throw AdapterError(fmt::format("unknown key '{}'", key));
  }
}

/// The part of the description that adapters of other kinds have too.
Promise promise_in(json& object) {
  Message message;
  for (const char* key : {"layer", "summary", "spatial_axes", "variants"}) {
    const auto found = object.find(key);
    if (found == object.end()) continue;
    message.fields[key] =
        found->is_string() ? found->get<std::string>() : found->dump();
    object.erase(found);
  }
  if (!message.fields.contains("layer")) {
    throw AdapterError("the key layer is missing");
  }
  return promise_from(message);
}

PluginEntry entry_of(const dropcheck_plugin& plugin, std::uint32_t index) {
  require_functions(plugin, index);
  const char* text = plugin.describe();
  if (text == nullptr) {
    throw AdapterError(fmt::format("layer {} describes itself by NULL", index));
  }
  try {
    PluginEntry entry =
        plugin_from_json({text, ::strnlen(text, kLongestDescription)});
    entry.functions = &plugin;
    entry.description.reseed = plugin.reseed != nullptr;
    entry.description.backward = plugin.backward != nullptr;
    entry.description.mask_output = hands_out_masks(plugin);
    return entry;
  } catch (const AdapterError& error) {
    throw AdapterError(
        fmt::format("the description of layer {}: {}", index, error.what()));
  }
}

}  // namespace

bool hands_out_masks(const dropcheck_plugin& plugin) {
  constexpr std::size_t kEnd = offsetof(dropcheck_plugin, forward_with_mask) +
                               sizeof(plugin.forward_with_mask);
  return plugin.size >= kEnd && plugin.forward_with_mask != nullptr;
}

PluginEntry plugin_from_json(const std::string& text) {
  PluginEntry entry;
  try {
    json object = json::parse(text);
    if (!object.is_object()) throw AdapterError("is no JSON object");
    entry.promise = promise_in(object);
    entry.description.name = entry.promise.layer;
    for (const auto& [key, value] : object.items()) {
      read_key(key, value, entry);
    }
  } catch (const json::exception& error) {
    throw AdapterError(fmt::format("malformed: {}", error.what()));
  }
  for (const LayerConfig& variant : entry.promise.variants) {
    if (variant.in_place) entry.description.in_place = true;
  }
  return entry;
}

std::vector<PluginEntry> load_plugin(const std::string& path) {
  const Getter get = getter_of(path);
  std::vector<PluginEntry> entries;
  for (std::uint32_t index = 0; index < kMostLayers; ++index) {
    const dropcheck_plugin* plugin = get(index);
    if (plugin == nullptr) break;
    entries.push_back(entry_of(*plugin, index));
  }
  if (!entries.empty()) return entries;
  throw AdapterError("the library has no layer number 0");
}

}  // namespace dropcheck::impl::adapters
