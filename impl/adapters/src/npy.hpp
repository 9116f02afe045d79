#pragma once

#include <cstddef>
#include <span>

#include "dropcheck/impl/tensor.hpp"

namespace dropcheck::impl::adapters {

/// The tensor of a .npy image. Throws AdapterError for anything else.
Tensor decode_npy(std::span<const std::byte> image);

}  // namespace dropcheck::impl::adapters
