#pragma once

#include <memory>
#include <string>
#include <vector>

#include "dropcheck/impl/adapters/promise.hpp"
#include "dropcheck/impl/subject.hpp"
#include "dropcheck_plugin.h"

namespace dropcheck::impl::adapters {

/// One layer of a plug-in and what it says of itself.
struct PluginEntry {
  const dropcheck_plugin* functions = nullptr;
  Description description;
  Promise promise;
};

/// Whether it has forward_with_mask, which came behind the others.
bool hands_out_masks(const dropcheck_plugin& plugin);

/// Loads a library, which stays. Throws AdapterError.
std::vector<PluginEntry> load_plugin(const std::string& path);

/// What a plug-in describes, as JSON. Throws AdapterError for text that is no
/// such object and for keys that are not known.
PluginEntry plugin_from_json(const std::string& text);

}  // namespace dropcheck::impl::adapters
