#pragma once

#include <cstdint>
#include <span>

#include "dropcheck/stats/counts.hpp"

namespace dropcheck::stats {

/// ln of the e-value against "all groups share one drop probability", whatever
/// that probability is.
///
/// Formula half even, half sparse, each over the largest likelihood of one
///         common rate.
///         Even: mean over tau in {1, 2, 5, 10, 30 %} of min(p0, 1 - p0) of
///         the product over groups of beta-binomials with kappa = p0 (1 - p0)
///         / tau^2: all rates differ a little.
///         Sparse: mean over groups of the e-value where that group alone has
///         a Jeffreys rate and the rest share one rate (tau = 1 %).
/// Law     mean at most 1 under any common rate, at every stopping time.
///         p0 centres the priors only; a wrong p0 costs power, not validity.
/// Cost    distinct counts are evaluated once: 65,536 groups in about 2 ms.
/// Throws  std::domain_error unless p0 is in (0, 1) and drops <= n everywhere.
/// Source  Wasserman, Ramdas, Balakrishnan 2020, arXiv:1912.11436.
double log_homogeneity_e_value(std::span<const Counts> groups, double p0);

/// The same for groups of `n` units each, all together below 2^62.
double log_homogeneity_e_value(std::span<const std::uint32_t> drops,
                               std::uint64_t n, double p0);

/// The same with a Jeffreys prior, Beta(1/2, 1/2), on every group.
///
/// Without tuning and without power when groups are many: for few groups of
/// which nothing is known.
double log_homogeneity_jeffreys(std::span<const Counts> groups);

}  // namespace dropcheck::stats
