#pragma once

#include <array>
#include <span>

#include "dropcheck/stats/diagnostic.hpp"

namespace dropcheck::stats {

/// Sample moments in one pass: mean, and sums of powers of deviations from it.
///
/// Formula m_k = sum (y - mean)^k, updated and merged as in Pebay 2008.
/// Merge   not associative in the last bits: merge in a fixed order.
/// Source  Pebay 2008, SAND2008-6212.
struct Moments {
  double n = 0;
  double mean = 0;
  double m2 = 0;
  double m3 = 0;
  double m4 = 0;

  void add(double y);
  void merge(const Moments& other);
};

/// Raw moments E[y^k] of a law, index k = 0..8, the first of them 1.
using RawMoments = std::array<double, 9>;

/// The exact moments a law prescribes.
struct TheoreticalMoments {
  double mean;
  RawMoments central;  ///< central[k] = E[(y - mean)^k]; 1, 0, variance, ...

  double variance() const { return central[2]; }
  double skewness() const;
  double kurtosis() const;  ///< 3 for a normal law.
};

/// Throws std::domain_error unless raw[0] is 1 and all are finite.
TheoreticalMoments central_moments(const RawMoments& raw);

/// The law a (m x + (1 - m) c) + b for kept probability 1 - drop_probability
/// and an input x with the given raw moments: every dropout of the family.
struct MaskedLaw {
  double drop_probability;
  double dropped_value = 0;  ///< c
  double scale = 1;          ///< a
  double shift = 0;          ///< b
};

/// Throws std::domain_error unless the drop probability is in [0, 1] and all
/// other numbers are finite.
TheoreticalMoments masked_moments(const RawMoments& input,
                                  const MaskedLaw& law);

/// How far sample moments lie from the law, in standard deviations.
///
/// Formula z = (estimate - theory) / sqrt(exact variance of the estimate),
///         with the law's own higher moments, never the normal law's: a
///         chi-square test of a variance is wrong by up to 3e7 here.
///         The skewness and kurtosis tests compare third and fourth central
///         moments (of the law's own scale) with their exact means at n; their
///         variances are exact up to terms in 1 / n^2.
/// Law     asymptotic, hence never valid_at_level: even with the exact variance
///         the tail at 1e-9 is that of the law's own skewness.
/// Scale   a relative change r of a moment moves z by r sqrt(n) over the law's
///         own relative deviation.
/// Throws  std::domain_error if fewer than two values were added, or one was
///         not finite.
/// Source  Cramer 1946, Mathematical Methods of Statistics, chapter 28.
Diagnostic mean_test(const Moments& sample, const TheoreticalMoments& theory);
Diagnostic variance_test(const Moments& sample,
                         const TheoreticalMoments& theory);
Diagnostic skewness_test(const Moments& sample,
                         const TheoreticalMoments& theory);
Diagnostic kurtosis_test(const Moments& sample,
                         const TheoreticalMoments& theory);

}  // namespace dropcheck::stats
