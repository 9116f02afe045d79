#pragma once

#include <span>

#include "dropcheck/stats/beta_binomial.hpp"
#include "dropcheck/stats/counts.hpp"

namespace dropcheck::stats {

/// ln of the e-value against "no context changes the drop probability".
///
/// A context is a function of what came before a decision: the mask bit k
/// earlier, the previous call, an index class. contexts[c] counts the
/// decisions taken in context c, priors[c] is its prior.
///
/// Formula sum_c ln M_c(p*), where p* is the pooled drops / n, clamped to
///         null_rates: the rate in the null under which the data are likeliest.
/// Law     mean at most 1 under independent Bernoulli(p) for every p in
///         null_rates, at every stopping time. The denominator is the largest
///         likelihood in the null, so it is at least the true one: universal
///         inference. This holds for {0, 1} too, "any one rate"; a narrower
///         null only adds power against a wrong rate.
/// Valid   only where contexts look backwards in one fixed scan order, and
///         priors are fixed before the data. Never multiply it with the rate
///         e-value of the same data.
/// Throws  std::invalid_argument if the spans differ in length;
///         std::domain_error for counts, priors or rates out of range.
/// Source  Wasserman, Ramdas, Balakrishnan 2020, arXiv:1912.11436.
double log_context_e_value(std::span<const Counts> contexts,
                           std::span<const BetaPrior> priors,
                           Interval null_rates);

/// The prior weight for a context in which planned_n decisions are expected.
///
/// Formula planned_n / 45.2, which detects a correlation soonest.
/// Throws  std::domain_error unless planned_n is positive.
double context_kappa(double planned_n);

}  // namespace dropcheck::stats
