#pragma once

#include <cstdint>

#include "dropcheck/stats/chi_square.hpp"
#include "dropcheck/stats/diagnostic.hpp"

namespace dropcheck::stats {

/// Two classical statistics of a mask in scan order, with exact variances. The
/// context e-value (context.hpp) decides; these are shown beside it.
///
/// Law     under independent Bernoulli(p) decisions, p known, at an n fixed in
///         the plan. At p = 1/2 the p-value is exact, because both statistics
///         are then binomial: valid at every level. Elsewhere it is that of a
///         normal law and not valid at 1e-9; the note says which.
/// Scale   a correlation rho moves both by about rho sqrt(n) deviations.

/// Sum of (m_i - p)(m_(i+k) - p) over all pairs at one lag k.
///
/// pairs counts the n - k pairs by drop or keep of each member, earlier first.
/// Formula mean 0, variance (n - k) p^2 (1 - p)^2: exactly, although pairs
///         overlap.
/// Throws  std::domain_error unless p is in (0, 1) and the pairs number at
///         least 1 and less than 2^63.
Diagnostic lag_sum_test(const TwoByTwo& pairs, double p);

/// How often a mask of n decisions changes between drop and keep.
struct Transitions {
  std::uint64_t changes = 0;  ///< At most n - 1.
  std::uint64_t n = 0;
};

/// The number of changes, which is the number of runs less one.
///
/// Formula mean (n - 1) 2 p q, variance (n - 1) 2 p q (1 - 2 p q) +
///         2 (n - 2) p q (1 - 4 p q), with q = 1 - p: exactly.
/// Throws  std::domain_error unless p is in (0, 1), n >= 2 and changes < n.
/// Source  Wald and Wolfowitz 1940, with p known.
Diagnostic transitions_test(const Transitions& transitions, double p);

}  // namespace dropcheck::stats
