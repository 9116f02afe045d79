#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dropcheck/impl/adapters/safetensors.hpp"
#include "dropcheck/impl/registry.hpp"

namespace dropcheck::impl::adapters {

/// What an adapter says that its layer keeps. All of it may be left out.
struct Promise {
  std::string layer;  ///< the law; empty: not said
  std::string summary;
  std::optional<int> spatial_axes;  ///< of the law, where they are others
  /// Configurations to verify besides the plain one (SubjectEntry::variants).
  std::vector<LayerConfig> variants;
};

/// As fields of a description, and back. Throws AdapterError for a layer that
/// is not known, and for variants that are no list of configurations.
void promise_to(const Promise& promise, Message& message);
Promise promise_from(const Message& message);

/// What an entry promises.
Promise promise_of(const SubjectEntry& entry);

}  // namespace dropcheck::impl::adapters
