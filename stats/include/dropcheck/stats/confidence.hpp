#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "dropcheck/stats/beta_binomial.hpp"
#include "dropcheck/stats/correlation.hpp"
#include "dropcheck/stats/counts.hpp"

namespace dropcheck::stats {

/// Confidence sequences of several quantities: what has not been excluded yet.
/// Everywhere A = log_inverse_alpha = ln(1 / alpha) is positive, and with
/// probability at least 1 - alpha *all* intervals of one result cover the truth
/// at *all* looks. Endpoints round outwards.

/// Drop probabilities of contexts, channels, samples or positions, each
/// whatever it is.
///
/// Shape   one interval for each of `groups`; priors has as many entries.
/// Formula confidence_sequence of each at A + ln(number of groups).
/// Valid   for disjoint groups, and for contexts known before the decision.
/// Throws  std::invalid_argument if lengths differ; as confidence_sequence.
std::vector<Interval> simultaneous_rates(std::span<const Counts> groups,
                                         std::span<const BetaPrior> priors,
                                         double log_inverse_alpha);

/// The same with one prior for all. Equal counts are evaluated once.
std::vector<Interval> simultaneous_rates(std::span<const Counts> groups,
                                         const BetaPrior& prior,
                                         double log_inverse_alpha);

/// Probabilities of the cells of a table.
///
/// Shape   counts and theta have one entry per cell.
/// Formula cell j alone is a Bernoulli rate whose prior, the margin of
///         Dirichlet(kappa theta), is Beta(kappa theta_j, kappa (1 -
///         theta_j)); each at A + ln(number of cells).
/// Valid   for disjoint tuples of independent units.
/// Throws  as log_dirichlet_multinomial, with theta_j < 1.
std::vector<Interval> cell_probabilities(std::span<const std::uint64_t> counts,
                                         std::span<const double> theta,
                                         double kappa,
                                         double log_inverse_alpha);

/// The rate after a drop less the rate after a keep, common rate unknown.
///
/// Formula { d : min over p of ln M_keep(p) + ln M_drop(p + d) < A }, with
///         the minimum over all p where both are probabilities: universal
///         inference. The minimum is convex in d, so the set is an interval.
/// Shape   priors of the rate after a keep and after a drop.
/// Values  within [-1, 1].
/// Throws  as log_martingale; std::domain_error unless A is positive.
Interval rate_difference(const BinaryContexts& contexts,
                         const std::array<BetaPrior, 2>& priors,
                         double log_inverse_alpha);

/// ln of the e-value against the difference d: what rate_difference inverts.
///
/// Law     mean at most 1 whatever the rate after a keep, if that after a drop
///         is larger by d. Throws as above; d in [-1, 1].
double log_difference_e_value(const BinaryContexts& contexts,
                              const std::array<BetaPrior, 2>& priors, double d);

}  // namespace dropcheck::stats
