#include "dtype_limits.hpp"

#include <algorithm>
#include <cmath>

#include "value_model.hpp"

namespace dropcheck::properties {
namespace {

/// Exponent of the smallest normal value.
int lowest_exponent(impl::DType dtype) {
  switch (dtype) {
    case impl::DType::kFloat64:
      return -1022;
    case impl::DType::kFloat32:
    case impl::DType::kBFloat16:
      return -126;
    case impl::DType::kFloat16:
      return -14;
  }
  return 0;
}

}  // namespace

double largest(impl::DType dtype) {
  // Exponents are symmetric but for the two codes of zero and infinity.
  const int highest = 1 - lowest_exponent(dtype);
  const double below_two = 2 - std::ldexp(2.0, -impl::significand_bits(dtype));
  return std::ldexp(below_two, highest);
}

double smallest_normal(impl::DType dtype) {
  return std::ldexp(1.0, lowest_exponent(dtype));
}

double smallest_subnormal(impl::DType dtype) {
  return std::ldexp(1.0,
                    lowest_exponent(dtype) + 1 - impl::significand_bits(dtype));
}

double step_at(double value, impl::DType dtype) {
  if (!std::isfinite(value)) return 0;
  return std::max(ulp_at(value, dtype), smallest_subnormal(dtype));
}

}  // namespace dropcheck::properties
