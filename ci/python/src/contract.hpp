#pragma once

#include <nlohmann/json.hpp>

#include "dropcheck/impl/registry.hpp"
#include "dropcheck/properties/identify.hpp"
#include "dropcheck/properties/settings.hpp"

namespace dropcheck::python {

/// What Python says of its layer: name, layer, variants, options,
/// spatial_axes, strides. Throws std::invalid_argument that names the field.
impl::SubjectEntry entry_from(const nlohmann::json& contract);

/// What the layer offers: version, generator, dtypes, reseed, own_state,
/// backward, mask_output, recipe, strides.
impl::Description description_from(const nlohmann::json& contract);

/// drop_probabilities, shapes, dtypes, only, profile, seed, alpha, share,
/// threads, call_timeout, time_limit, delta, shrink.
properties::Settings settings_from(const nlohmann::json& settings);

}  // namespace dropcheck::python
