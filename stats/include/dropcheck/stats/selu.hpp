#pragma once

#include "dropcheck/stats/moments.hpp"

namespace dropcheck::stats {

/// Constants of SELU: the fixed point that maps N(0, 1) to mean 0, variance 1.
///
/// Formula with e1 = erfc(1 / sqrt 2), e2 = erfc(sqrt 2):
///         alpha  = -sqrt(2 / pi) / (e1 e^(1/2) - 1)
///         scale  = (1 - e1 sqrt e) sqrt(2 pi) (2 e2 e^2 + pi e1^2 e - 2 (2 +
///                  pi) e1 sqrt e + pi + 2)^(-1/2), written lambda elsewhere
///         alpha' = -scale alpha, the value a dropped unit saturates to
/// Source  Klambauer et al. 2017, arXiv:1706.02515.
inline constexpr double kSeluAlpha = 1.6732632423543772848170429917;
inline constexpr double kSeluScale = 1.0507009873554804934193349853;
inline constexpr double kAlphaPrime = -1.7580993408473768599402175208;

/// The affine map of alpha dropout, which restores mean 0 and variance 1.
///
/// Formula a = (keep (1 + drop alpha'^2))^(-1/2), b = -a drop alpha'.
/// Throws  std::domain_error unless drop_probability is in [0, 1).
struct AlphaDropoutMap {
  double a;
  double b;
};
AlphaDropoutMap alpha_dropout_map(double drop_probability);

/// Raw moments of N(0, 1).
RawMoments normal_raw_moments();

/// Raw moments of SELU(x), x ~ N(0, 1): 1, 0, 1, 0.3926..., 2.5031..., ...
///
/// Formula scale^k (2^(k/2) Gamma((k+1)/2) / (2 sqrt pi) + alpha^k sum_j
///         (-1)^(k-j) C(k, j) e^(j^2/2) Phi(-j)).
/// Errors  1e-13 relative up to k = 4, 1e-11 up to k = 8.
RawMoments selu_raw_moments();

/// What alpha dropout makes of an input with the given raw moments.
TheoreticalMoments alpha_dropout_moments(const RawMoments& input,
                                         double drop_probability);

}  // namespace dropcheck::stats
