#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <string_view>

#include "dropcheck/impl/config.hpp"

namespace dropcheck::impl::adapters {

/// A configured function or module: input, training -> output.
using TorchFunction = std::function<at::Tensor(at::Tensor, bool)>;

/// Where a function that returns its mask, too, puts that: bool, 1 is kept.
/// Null where nobody asks for it.
using MaskPlace = std::shared_ptr<at::Tensor>;

/// Builds what `name` of kTorchEntries says, from a configuration. Throws
/// c10::Error where libtorch refuses, NotSupported for options that it has not.
TorchFunction make_torch_function(std::string_view name,
                                  const LayerConfig& config,
                                  const MaskPlace& mask = nullptr);

}  // namespace dropcheck::impl::adapters
