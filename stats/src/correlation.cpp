#include "dropcheck/stats/correlation.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "dropcheck/stats/context.hpp"
#include "null_likelihood.hpp"
#include "require.hpp"
#include "special.hpp"

namespace dropcheck::stats {
namespace {

// In units of 1 / sqrt(planned_n), the width of the likelihood in rho: a
// mixture of such steps is smooth to 1.4 %.
constexpr double kStep = 2;
constexpr double kReach = 3;  // standard deviations of the prior
constexpr double kTailShare = 0.05;
constexpr double kLargestRho = 0.95;

// Squared width of the prior in those units: at a threshold of 20.72 the 45.2
// that detects soonest.
double squared_width(const CorrelationPlan& plan) {
  return 2 * plan.log_threshold + 3.8;
}

BetaPrior context_prior(const CorrelationPlan& plan, double share) {
  const double kappa = plan.planned_n * share / squared_width(plan);
  return prior_around(plan.p0, std::max(1.0, kappa));
}

void validate(const CorrelationPlan& plan) {
  require_inner_probability(plan.p0, "p0");
  require_positive(plan.planned_n, "planned_n");
  require_positive(plan.log_threshold, "log_threshold");
}

}  // namespace

CorrelationTest::CorrelationTest(const CorrelationPlan& plan) : plan_(plan) {
  validate(plan);
  priors_ = {context_prior(plan, 1 - plan.p0), context_prior(plan, plan.p0)};
  add_bulk();
  add_tails();
  double total = 0;
  for (const Node& node : nodes_) total += std::exp(node.log_weight);
  for (Node& node : nodes_) node.log_weight -= std::log(total);
}

// Correlations that some pair of rates cannot have are left out.
void CorrelationTest::add_node(double rho, double weight) {
  const double p = plan_.p0;
  const double q = 1 - p;
  const double largest = rho > 0 ? 1 : std::min(p / q, q / p);
  if (std::abs(rho) > kLargestRho * largest) return;
  nodes_.push_back({std::log(weight), std::log1p(rho * q / p), std::log1p(-rho),
                    std::log1p(-rho), std::log1p(rho * p / q)});
}

void CorrelationTest::add_bulk() {
  const double scale = 1 / std::sqrt(plan_.planned_n);
  const double variance = squared_width(plan_);
  const int nodes =
      static_cast<int>(std::ceil(kReach * std::sqrt(variance) / kStep));
  double total = 0;
  for (int j = 0; j < nodes; ++j) {
    const double at = (j + 0.5) * kStep;
    total += 2 * std::exp(-at * at / (2 * variance));
  }
  for (int j = 0; j < nodes; ++j) {
    const double at = (j + 0.5) * kStep;
    const double weight =
        (1 - kTailShare) * std::exp(-at * at / (2 * variance)) / total;
    add_node(at * scale, weight);
    add_node(-at * scale, weight);
  }
}

void CorrelationTest::add_tails() {
  const double first =
      2 * kReach * std::sqrt(squared_width(plan_) / plan_.planned_n);
  std::vector<double> sizes = {0.5};
  for (double rho = first; rho < kLargestRho; rho *= 2) sizes.push_back(rho);
  for (const double rho : sizes) {
    const double weight = kTailShare / (2 * static_cast<double>(sizes.size()));
    add_node(rho, weight);
    add_node(-rho, weight);
  }
}

double CorrelationTest::log_one_parameter_e_value(
    const BinaryContexts& contexts, Interval null_rates) const {
  const auto& [keep, drop] = contexts;
  require_counts(keep);
  require_counts(drop);
  require_rates(null_rates, "null_rates");
  Counts all = keep;
  all += drop;
  if (all.n == 0) return 0;
  std::vector<double> logs;
  logs.reserve(nodes_.size());
  for (const Node& node : nodes_)
    logs.push_back(node.log_weight +
                   as_double(drop.drops) * node.drop_after_drop +
                   as_double(drop.n - drop.drops) * node.keep_after_drop +
                   as_double(keep.drops) * node.drop_after_keep +
                   as_double(keep.n - keep.drops) * node.keep_after_keep);
  return log_mean_exp(logs) + std::log(static_cast<double>(logs.size())) +
         log_null_ratio(all, plan_.p0, null_rates);
}

double CorrelationTest::log_e_value(const BinaryContexts& contexts,
                                    Interval null_rates) const {
  const std::array both = {contexts.after_keep, contexts.after_drop};
  return log_add(log_one_parameter_e_value(contexts, null_rates),
                 log_context_e_value(both, priors_, null_rates)) -
         std::numbers::ln2;
}

}  // namespace dropcheck::stats
