#include "dropcheck/stats/clopper_pearson.hpp"

#include <cmath>

#include "dropcheck/stats/binomial_tail.hpp"
#include "require.hpp"
#include "special.hpp"

namespace dropcheck::stats {
namespace {

// The last excluded rate between an excluded and an admitted one.
template <typename Excluded>
double bisect(double outside, double inside, const Excluded& excluded) {
  for (int step = 0; step < 100; ++step) {
    const double middle = (outside + inside) / 2;
    if (middle == outside || middle == inside) break;
    (excluded(middle) ? outside : inside) = middle;
  }
  return outside;
}

}  // namespace

Interval clopper_pearson(const Counts& counts, double alpha) {
  require_counts(counts);
  require_inner_probability(alpha, "alpha");
  if (counts.n == 0) return {};
  const double level = std::log(alpha / 2);
  const double estimate = as_double(counts.drops) / as_double(counts.n);
  const auto too_low = [&](double p) {
    return log_upper_tail(counts.drops, counts.n, p) < level;
  };
  const auto too_high = [&](double p) {
    return log_lower_tail(counts.drops, counts.n, p) < level;
  };
  return {counts.drops == 0 ? 0 : bisect(0, estimate, too_low),
          counts.drops == counts.n ? 1 : bisect(1, estimate, too_high)};
}

}  // namespace dropcheck::stats
