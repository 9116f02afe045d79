#include "null_likelihood.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "special.hpp"

namespace dropcheck::stats {

double log_null_ratio(const Counts& all, double p0, Interval null_rates) {
  if (all.n == 0) return 0;
  const double drops = as_double(all.drops);
  const double kept = as_double(all.n - all.drops);
  const double p =
      std::clamp(drops / as_double(all.n), null_rates.lower, null_rates.upper);
  if ((p == 0 && drops > 0) || (p == 1 && kept > 0))
    return std::numeric_limits<double>::infinity();
  return safe_product(drops, log_ratio({p0, p, p0 - p})) +
         safe_product(kept, log_ratio({1 - p0, 1 - p, p - p0}));
}

}  // namespace dropcheck::stats
