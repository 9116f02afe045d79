#include "dropcheck/stats/clopper_pearson.hpp"

#include <cmath>

#include "dropcheck/stats/binomial_tail.hpp"
#include "endpoint.hpp"
#include "require.hpp"
#include "special.hpp"

namespace dropcheck::stats {
Interval clopper_pearson(const Counts& counts, double alpha) {
  require_counts(counts);
  require_level(alpha, "alpha");
  if (counts.n == 0) return {};
  const double level = std::log(alpha / 2);
  const double estimate = as_double(counts.drops) / as_double(counts.n);
  const auto too_low = [&](double p) {
    return log_upper_tail(counts.drops, counts.n, p) < level;
  };
  const auto too_high = [&](double p) {
    return log_lower_tail(counts.drops, counts.n, p) < level;
  };
  return {outer_endpoint(0, estimate, too_low),
          outer_endpoint(1, estimate, too_high)};
}

}  // namespace dropcheck::stats
