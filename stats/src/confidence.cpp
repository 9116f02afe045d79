#include "dropcheck/stats/confidence.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <utility>

#include "endpoint.hpp"
#include "require.hpp"
#include "special.hpp"

namespace dropcheck::stats {
namespace {

double rate(const Counts& counts) {
  return counts.n == 0 ? 0.5 : as_double(counts.drops) / as_double(counts.n);
}

// The slope of a log likelihood at p, infinite only where data contradict p.
double slope(const Counts& counts, double p) {
  const auto term = [](std::uint64_t number, double probability) {
    return number == 0 ? 0 : as_double(number) / probability;
  };
  return term(counts.drops, p) - term(counts.n - counts.drops, 1 - p);
}

// The likeliest rate after a keep if that after a drop is larger by d: where
// the slope, which falls in p, changes sign.
double likeliest_rate(const BinaryContexts& contexts, double d) {
  double low = std::max(0.0, -d);
  double high = std::min(1.0, 1 - d);
  for (int step = 0; step < 200; ++step) {
    const double p = std::midpoint(low, high);
    if (p == low || p == high) break;
    const double total = slope(contexts.after_keep, p) +
                         slope(contexts.after_drop, std::clamp(p + d, 0., 1.));
    (total > 0 ? low : high) = p;
  }
  return std::midpoint(low, high);
}

double level_of_each(double log_inverse_alpha, std::size_t number) {
  require_positive(log_inverse_alpha, "log_inverse_alpha");
  return log_inverse_alpha + std::log(static_cast<double>(number));
}

}  // namespace

std::vector<Interval> simultaneous_rates(std::span<const Counts> groups,
                                         std::span<const BetaPrior> priors,
                                         double log_inverse_alpha) {
  require_shape(priors.size() == groups.size(), "number of priors",
                priors.size(), "the number of groups");
  const double level = level_of_each(log_inverse_alpha, groups.size());
  std::vector<Interval> intervals;
  for (std::size_t g = 0; g < groups.size(); ++g)
    intervals.push_back(confidence_sequence(groups[g], priors[g], level));
  return intervals;
}

std::vector<Interval> simultaneous_rates(std::span<const Counts> groups,
                                         const BetaPrior& prior,
                                         double log_inverse_alpha) {
  const double level = level_of_each(log_inverse_alpha, groups.size());
  std::map<std::pair<std::uint64_t, std::uint64_t>, Interval> known;
  std::vector<Interval> intervals;
  for (const Counts& group : groups) {
    const auto [at, fresh] = known.try_emplace({group.drops, group.n});
    if (fresh) at->second = confidence_sequence(group, prior, level);
    intervals.push_back(at->second);
  }
  return intervals;
}

std::vector<Interval> cell_probabilities(std::span<const std::uint64_t> counts,
                                         std::span<const double> theta,
                                         double kappa,
                                         double log_inverse_alpha) {
  require_shape(theta.size() == counts.size(), "number of theta", theta.size(),
                "the number of cells");
  const std::uint64_t n =
      std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
  std::vector<Counts> cells;
  std::vector<BetaPrior> priors;
  for (std::size_t j = 0; j < counts.size(); ++j) {
    require_inner_probability(theta[j], "theta");
    cells.push_back({counts[j], n});
    priors.push_back(prior_around(theta[j], kappa));
  }
  return simultaneous_rates(cells, priors, log_inverse_alpha);
}

double log_difference_e_value(const BinaryContexts& contexts,
                              const std::array<BetaPrior, 2>& priors,
                              double d) {
  require_counts(contexts.after_keep);
  require_counts(contexts.after_drop);
  require(d >= -1 && d <= 1, "d", d, "in [-1, 1]");
  const double p = likeliest_rate(contexts, d);
  return log_martingale(contexts.after_keep, priors[0], p) +
         log_martingale(contexts.after_drop, priors[1],
                        std::clamp(p + d, 0.0, 1.0));
}

Interval rate_difference(const BinaryContexts& contexts,
                         const std::array<BetaPrior, 2>& priors,
                         double log_inverse_alpha) {
  require_positive(log_inverse_alpha, "log_inverse_alpha");
  if (contexts.after_keep.n == 0 || contexts.after_drop.n == 0) return {-1, 1};
  const auto excluded = [&](double d) {
    return log_difference_e_value(contexts, priors, d) >= log_inverse_alpha;
  };
  const double estimate = rate(contexts.after_drop) - rate(contexts.after_keep);
  return {outer_endpoint(-1, estimate, excluded),
          outer_endpoint(1, estimate, excluded)};
}

}  // namespace dropcheck::stats
