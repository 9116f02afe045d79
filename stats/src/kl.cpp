#include "dropcheck/stats/kl.hpp"

#include <cmath>

#include "require.hpp"
#include "special.hpp"

namespace dropcheck::stats {
namespace {

// kl(beta || 1 - alpha), without rounding 1 - alpha first.
double information_needed(const ErrorPair& errors) {
  const auto [alpha, beta] = errors;
  return (1 - beta) * (std::log1p(-beta) - std::log(alpha)) +
         beta * (std::log(beta) - std::log1p(-alpha));
}

}  // namespace

double bd0(double x, double m) {
  require(x >= 0, "x", x, "at least 0");
  require(m >= 0, "m", m, "at least 0");
  return bd0(Deviance{x, m, x - m});
}

double kl_bernoulli(double x, double y) {
  require_probability(x, "x");
  require_probability(y, "y");
  return bd0(Deviance{x, y, x - y}) + bd0(Deviance{1 - x, 1 - y, y - x});
}

double wald_lower_bound(double p, double p1, ErrorPair errors) {
  require_level(errors.alpha, "alpha");
  require_level(errors.beta, "beta");
  require_probability(p, "p");
  require_probability(p1, "p1");
  require(p != p1, "p", p, "different from p1");
  return information_needed(errors) / kl_bernoulli(p, p1);
}

}  // namespace dropcheck::stats
