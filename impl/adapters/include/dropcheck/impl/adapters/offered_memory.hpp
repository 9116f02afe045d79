#pragma once

#include <cstddef>
#include <span>

namespace dropcheck::impl::adapters {

/// Memory of the host, in which a worker's layer may leave the results of the
/// call at hand: then nobody copies them. Set by the worker around each call.
struct OfferedMemory {
  std::span<std::byte> window = {};  ///< empty between calls
};

}  // namespace dropcheck::impl::adapters
