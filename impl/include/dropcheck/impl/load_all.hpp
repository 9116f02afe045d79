#pragma once

#include <cstddef>

#include "dropcheck/impl/dtype.hpp"

namespace dropcheck::impl {

/// Reads `count` elements that lie one after the other, as `load` does.
void load_all(const void* elements, DType dtype, std::size_t count,
              double* values);

}  // namespace dropcheck::impl
