#pragma once

#include "dropcheck/impl/dtype.hpp"

namespace dropcheck::properties {

/// Largest finite value of a dtype.
double largest(impl::DType dtype);

/// Smallest positive value: one step of the subnormal ones.
double smallest_subnormal(impl::DType dtype);

/// Smallest positive value of full precision.
double smallest_normal(impl::DType dtype);

/// One unit in the last place at the magnitude of `value`, among subnormal ones
/// their step.
double step_at(double value, impl::DType dtype);

}  // namespace dropcheck::properties
