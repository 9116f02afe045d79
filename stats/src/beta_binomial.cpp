#include "dropcheck/stats/beta_binomial.hpp"

#include <cmath>
#include <limits>

#include "endpoint.hpp"
#include "require.hpp"
#include "special.hpp"

namespace dropcheck::stats {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// N KL(x / N || p), where N = x + y and difference = x - N p.
struct Mass {
  double x;
  double y;
  double difference;
};
double deviance(const Mass& mass, double p) {
  const double total = mass.x + mass.y;
  return bd0({mass.x, total * p, mass.difference}) +
         bd0({mass.y, total * (1 - p), -mass.difference});
}

// The prior's own deviance from p, and that of prior and data together. The
// differences are fused, so that n = 1e11 loses nothing.
double prior_deviance(const BetaPrior& prior, double p) {
  const double excess = std::fma(-(prior.a + prior.b), p, prior.a);
  return deviance({prior.a, prior.b, excess}, p);
}
double joint_deviance(const Counts& counts, const BetaPrior& prior, double p) {
  const double drops = as_double(counts.drops);
  const double kept = as_double(counts.n - counts.drops);
  const double excess = std::fma(-as_double(counts.n), p, drops) +
                        std::fma(-(prior.a + prior.b), p, prior.a);
  return deviance({prior.a + drops, prior.b + kept, excess}, p);
}

// What remains of the two beta functions beside the deviances.
double occam_factor(const Counts& counts, const BetaPrior& prior) {
  const double kappa = prior.a + prior.b;
  const double n = as_double(counts.n);
  const double drops = as_double(counts.drops);
  const double kept = as_double(counts.n - counts.drops);
  const double widths = std::log1p(drops / prior.a) +
                        std::log1p(kept / prior.b) - std::log1p(n / kappa);
  return (stirling_error(prior.a + drops) - stirling_error(prior.a)) +
         (stirling_error(prior.b + kept) - stirling_error(prior.b)) -
         (stirling_error(kappa + n) - stirling_error(kappa)) - widths / 2;
}

// ln of the likelihood at p over that at the reference rate.
double log_likelihood_gain(const Counts& counts, double p, double reference) {
  const double shift = p - reference;
  return as_double(counts.drops) * log_ratio({p, reference, shift}) +
         as_double(counts.n - counts.drops) *
             log_ratio({1 - p, 1 - reference, -shift});
}

// Below n = kappa the value at p is reached through the prior mean, because
// two large deviances of the prior would cancel; above, directly.
double log_martingale_inside(const Counts& counts, const BetaPrior& prior,
                             double p) {
  const double kappa = prior.a + prior.b;
  const double mean = prior.a / kappa;
  const bool through_mean = as_double(counts.n) <= kappa && mean < 1;
  const double at = through_mean ? mean : p;
  const double value = joint_deviance(counts, prior, at) -
                       prior_deviance(prior, at) + occam_factor(counts, prior);
  return through_mean ? value - log_likelihood_gain(counts, p, mean) : value;
}

// At p = 0 or 1 with data that p allows the likelihood is 1.
double log_martingale_at_edge(const Counts& counts, const BetaPrior& prior) {
  const double mean = prior.a / (prior.a + prior.b);
  const double n = as_double(counts.n);
  const double log_mean =
      counts.drops == 0 ? std::log1p(-mean) : std::log(mean);
  return log_martingale_inside(counts, prior, mean) + n * log_mean;
}

}  // namespace

BetaPrior prior_around(double p0, double kappa) {
  require_inner_probability(p0, "p0");
  require_positive(kappa, "kappa");
  return {kappa * p0, kappa * (1 - p0)};
}

double log_martingale(const Counts& counts, const BetaPrior& prior, double p) {
  require_counts(counts);
  require_positive(prior.a, "prior a");
  require_positive(prior.b, "prior b");
  require_probability(p, "p");
  if (counts.n == 0) return 0;
  if (p > 0 && p < 1) return log_martingale_inside(counts, prior, p);
  const std::uint64_t possible = p == 0 ? 0 : counts.n;
  if (counts.drops != possible) return kInfinity;
  return log_martingale_at_edge(counts, prior);
}

double recommended_kappa(double p0, double delta) {
  require_inner_probability(p0, "p0");
  require_positive(delta, "delta");
  return 1.1 * p0 * (1 - p0) / (delta * delta);
}

Interval confidence_sequence(const Counts& counts, const BetaPrior& prior,
                             double log_inverse_alpha) {
  require_counts(counts);
  require_positive(log_inverse_alpha, "log_inverse_alpha");
  if (counts.n == 0) return {};
  const double estimate = as_double(counts.drops) / as_double(counts.n);
  const auto excluded = [&](double p) {
    return log_martingale(counts, prior, p) >= log_inverse_alpha;
  };
  return {outer_endpoint(0, estimate, excluded),
          outer_endpoint(1, estimate, excluded)};
}

}  // namespace dropcheck::stats
