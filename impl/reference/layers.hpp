#pragma once

#include <memory>
#include <string_view>

#include "dropcheck/impl/subject.hpp"
#include "reference/masked_layer.hpp"

namespace dropcheck::impl::reference {

using MakeRule = MaskRule (*)(const LayerConfig&);

/// The rule of a layer that is a mask on its input, by the name of its law;
/// nullptr for attention_dropout, drop_connect and unknown names.
MakeRule find_rule(std::string_view layer);

/// Makes the reference layer of a law. Throws std::invalid_argument for an
/// unknown layer, NotSupported for in place where the law has none, and what
/// the layers throw.
std::unique_ptr<Layer> make_layer(const LayerConfig& config);

}  // namespace dropcheck::impl::reference
