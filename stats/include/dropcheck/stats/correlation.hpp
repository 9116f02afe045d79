#pragma once

#include <array>
#include <vector>

#include "dropcheck/stats/beta_binomial.hpp"
#include "dropcheck/stats/counts.hpp"

namespace dropcheck::stats {

/// Decisions by what came before each: a kept unit or a dropped one.
///
/// Valid   only where the context is known before the decision: the bit k
///         earlier in one fixed scan order, a bit of an earlier call. The bit
///         k later, or both neighbours, are no contexts.
struct BinaryContexts {
  Counts after_keep;
  Counts after_drop;
};

/// What a correlation is looked for with; fixed before the data.
struct CorrelationPlan {
  double p0;         ///< Specified drop probability, in (0, 1).
  double planned_n;  ///< Decisions at which the test is to be strongest.
  double log_threshold = 20.72;  ///< ln of the e-value that refutes, positive.
};

/// Tests whether decisions correlate with one earlier decision each.
///
/// Formula one parameter: the alternative of correlation rho has the rates
///         p0 + rho (1 - p0) after a drop and p0 - rho p0 after a keep. rho
///         has a fixed prior: 95 % on a symmetric grid of normal weights, of
///         variance (2 log_threshold + 3.8) / planned_n and step
///         2 / sqrt(planned_n), 5 % on powers of two beyond; both cut where a
///         rate would leave (0, 1). Over the largest likelihood of one common
///         rate in null_rates (universal inference).
///         e-value: half of that and half of log_context_e_value, which has a
///         free rate in each context and so does not rest on p0.
/// Law     mean at most 1 under independent decisions of any one rate in
///         null_rates, at every stopping time; a function of counts.
/// Power   refutes a correlation of sqrt(45.2 / planned_n) after about
///         45 / rho^2 decisions by the one parameter, 46.5 by the mean of
///         both and 48.5 by two free contexts (METHODS.md, by benchmark).
/// Cost    1 to 2 microseconds an evaluation.
class CorrelationTest {
 public:
  /// Throws std::domain_error unless p0 is in (0, 1) and planned_n and
  /// log_threshold are positive.
  explicit CorrelationTest(const CorrelationPlan& plan);

  /// ln of the one-parameter e-value. Throws std::domain_error if drops
  /// exceeds n or null_rates is no interval within [0, 1].
  double log_one_parameter_e_value(const BinaryContexts& contexts,
                                   Interval null_rates) const;

  /// ln of the mean of both e-values. Throws as above.
  double log_e_value(const BinaryContexts& contexts, Interval null_rates) const;

 private:
  // Gains in log likelihood over p0 by context and decision.
  struct Node {
    double log_weight;
    double drop_after_drop;
    double keep_after_drop;
    double drop_after_keep;
    double keep_after_keep;
  };
  void add_node(double rho, double weight);
  void add_bulk();
  void add_tails();

  CorrelationPlan plan_;
  std::array<BetaPrior, 2> priors_;  // after a keep, after a drop
  std::vector<Node> nodes_;
};

}  // namespace dropcheck::stats
