#pragma once

#include "dropcheck/impl/selu.hpp"
#include "networks/matrix.hpp"

namespace dropcheck::impl::networks {

/// SELU in the precision of T, in place. exp(min(x, 0)) keeps the branch that
/// is not used finite.
template <class T, class Array>
void apply_selu(Array x) {
  constexpr auto kLambda = static_cast<T>(kSeluLambda);
  constexpr auto kLimit = static_cast<T>(kSeluSaturation);
  x = kLambda * x.max(T{0}) + kLimit * (T{1} - x.min(T{0}).exp());
}

}  // namespace dropcheck::impl::networks
