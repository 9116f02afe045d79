#pragma once

#include <cmath>

namespace dropcheck::impl {

/// The constants of the self-normalising unit, for which mean 0 and variance 1
/// are a fixed point of x ~ N(0, 1) -> selu(x).
///
/// Source  Klambauer et al. 2017, arXiv:1706.02515, equation 14. With
///         e1 = erfc(1/sqrt(2)) and e2 = erfc(sqrt(2)),
///           alpha  = -sqrt(2/pi) / (e1 * exp(1/2) - 1)
///           lambda = (1 - e1 * sqrt(e)) * sqrt(2 pi)
///                    * (2 e2 e^2 + pi e1^2 e - 2 (2 + pi) e1 sqrt(e)
///                       + pi + 2)^(-1/2)
///         evaluated to 29 digits; tests recompute them in double.
inline constexpr double kSeluAlpha = 1.6732632423543772848170429917;
inline constexpr double kSeluLambda = 1.0507009873554804934193349853;

/// -lambda * alpha: what selu(x) tends to for x -> -infinity, and what alpha
/// dropout puts in the place of a dropped value.
inline constexpr double kSeluSaturation = -1.7580993408473768599402175208;

/// lambda * x for x > 0, lambda * alpha * (exp(x) - 1) otherwise.
inline double selu(double x) {
  return x > 0 ? kSeluLambda * x : -kSeluSaturation * std::expm1(x);
}

/// Derivative of `selu`; at 0 the left one, as PyTorch has it.
inline double selu_derivative(double x) {
  return x > 0 ? kSeluLambda : -kSeluSaturation * std::exp(x);
}

}  // namespace dropcheck::impl
