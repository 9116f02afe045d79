#include "dropcheck/stats/context.hpp"

#include <algorithm>

#include "require.hpp"
#include "special.hpp"

namespace dropcheck::stats {

double log_context_e_value(std::span<const Counts> contexts,
                           std::span<const BetaPrior> priors,
                           Interval null_rates) {
  require_shape(priors.size() == contexts.size(), "number of priors",
                priors.size(), "the number of contexts");
  require_rates(null_rates, "null_rates");
  const Counts all = require_pooled(contexts);
  if (all.n == 0) return 0;
  const double pooled = as_double(all.drops) / as_double(all.n);
  const double p = std::clamp(pooled, null_rates.lower, null_rates.upper);
  double sum = 0;
  for (std::size_t c = 0; c < contexts.size(); ++c)
    sum += log_martingale(contexts[c], priors[c], p);
  return sum;
}

double context_kappa(double planned_n) {
  require_positive(planned_n, "planned_n");
  return planned_n / 45.2;
}

}  // namespace dropcheck::stats
