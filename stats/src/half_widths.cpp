#include "dropcheck/stats/half_widths.hpp"

#include <algorithm>
#include <cmath>

#include "dropcheck/stats/binomial_tail.hpp"
#include "require.hpp"
#include "special.hpp"

namespace dropcheck::stats {
namespace {

void require_sample(std::uint64_t n, std::uint64_t least) {
  require_size(n, "n");
  require(n >= least, "n", as_double(n), least == 1 ? "at least 1" : "above 1");
}

}  // namespace

double hoeffding_half_width(std::uint64_t n, double alpha) {
  require_sample(n, 1);
  require_level(alpha, "alpha");
  return std::sqrt(std::log(2 / alpha) / (2 * as_double(n)));
}

double bernstein_half_width(std::uint64_t n, double variance, double alpha) {
  require_sample(n, 1);
  require_level(alpha, "alpha");
  require(variance >= 0 && variance <= 0.25, "variance", variance,
          "in [0, 0.25]");
  const double per_value = std::log(2 / alpha) / as_double(n);
  return per_value / 3 +
         std::sqrt(per_value * per_value / 9 + 2 * per_value * variance);
}

double maurer_pontil_half_width(std::uint64_t n, double sample_variance,
                                double alpha) {
  require_sample(n, 2);
  require_level(alpha, "alpha");
  require(sample_variance >= 0 && sample_variance <= 0.5, "sample_variance",
          sample_variance, "in [0, 0.5]");
  const double size = as_double(n);
  const double needed = std::log(4 / alpha);
  return std::sqrt(2 * sample_variance * needed / size) +
         7 * needed / (3 * (size - 1));
}

double log_bentkus_tail(std::uint64_t k, std::uint64_t n, double p) {
  return std::min(0.0, 1 + log_upper_tail(k, n, p));
}

}  // namespace dropcheck::stats
