#pragma once

#include <cstdint>

#include "dropcheck/impl/law.hpp"

namespace dropcheck::properties {

/// An input on which the mask can be read: no zero, both signs, seven
/// exponents (two for scores), nearly all values distinct, none of them near
/// the fill value. Values are assigned to positions by `key`, so that value and
/// position are not confounded (STATISTICS 2.f 11). Drawn by Philox.
impl::Tensor make_input(const impl::Law& law, const impl::LayerConfig& config,
                        const impl::Shape& shape, std::uint64_t key);

/// Standard normal values, rounded to the dtype.
impl::Tensor make_normal(impl::DType dtype, const impl::Shape& shape,
                         std::uint64_t key);

}  // namespace dropcheck::properties
