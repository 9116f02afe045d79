#include "special.hpp"

#include <algorithm>
#include <boost/math/special_functions/gamma.hpp>
#include <cmath>
#include <limits>
#include <numbers>

namespace dropcheck::stats {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kHalfLogTwoPi = 0.91893853320467274178;

using BulkPolicy =
    boost::math::policies::policy<boost::math::policies::promote_double<false>,
                                  boost::math::policies::promote_float<false>,
                                  boost::math::policies::underflow_error<
                                      boost::math::policies::ignore_error>>;

// Loader's series in v = (x - m) / (x + m), for |v| < 0.1.
double bd0_series(const Deviance& d, double v) {
  double sum = d.difference * v;
  double term = 2 * d.x * v;
  for (int j = 1; j < 1000; ++j) {
    term *= v * v;
    const double next = sum + term / (2 * j + 1);
    if (next == sum) break;
    sum = next;
  }
  return sum;
}

// Coefficients of 1/x, 1/x^3, ... in the asymptotic series.
double stirling_series(double x) {
  constexpr double kCoefficients[] = {1.0 / 12,    -1.0 / 360, 1.0 / 1260,
                                      -1.0 / 1680, 1.0 / 1188, -691.0 / 360'360,
                                      1.0 / 156};
  const double inverse_square = 1 / (x * x);
  double sum = 0;
  for (auto c = std::rbegin(kCoefficients); c != std::rend(kCoefficients); ++c)
    sum = sum * inverse_square + *c;
  return sum / x;
}

double finite(double log_probability) {
  return std::max(log_probability, std::numeric_limits<double>::lowest());
}

// Mills ratio by the continued fraction z + 1/(z + 2/(z + 3/...)).
double inverse_mills_ratio(double z) {
  double tail = z;
  for (int j = 40; j >= 1; --j) tail = z + j / tail;
  return tail;
}

// Lentz's fraction of Gamma(a, x) e^x x^-a, for x > a + 1.
double incomplete_gamma_fraction(double a, double x) {
  constexpr double kTiny = 1e-300;
  double b = x + 1 - a;
  double c = 1 / kTiny;
  double d = 1 / b;
  double h = d;
  for (int i = 1; i < 100'000; ++i) {
    const double an = -i * (i - a);
    b += 2;
    d = 1 / (an * d + b);
    c = b + an / c;
    h *= c * d;
    if (std::abs(c * d - 1) < 1e-16) break;
  }
  return h;
}

}  // namespace

double bd0(const Deviance& d) {
  if (d.x == 0) return d.m;
  if (d.m == 0) return kInfinity;
  const double v = d.difference / (d.x + d.m);
  if (std::abs(v) < 0.1) return bd0_series(d, v);
  return d.x * std::log(d.x / d.m) - d.difference;
}

// Below 10 through lgamma(x) = lgamma(x + k) - ln(x (x + 1) ... (x + k - 1)):
// three logarithms, however far the way.
double stirling_error(double x) {
  if (x >= 10) return stirling_series(x);
  double product = 1;
  double above = x;
  for (; above < 10; above += 1) product *= above;
  return stirling_series(above) + (above - 0.5) * std::log(above) -
         (above - x) - std::log(product) - (x - 0.5) * std::log(x);
}

double log_gamma(double x) {
  return (x - 0.5) * std::log(x) - x + kHalfLogTwoPi + stirling_error(x);
}

double log_ratio(const Deviance& r) {
  return std::abs(r.difference) < r.m / 2 ? std::log1p(r.difference / r.m)
                                          : std::log(r.x) - std::log(r.m);
}

double log_add(double a, double b) {
  const double high = std::max(a, b);
  if (std::isinf(high)) return high;
  return high + std::log1p(std::exp(std::min(a, b) - high));
}

double log_mean_exp(std::span<const double> values) {
  const double high = *std::max_element(values.begin(), values.end());
  if (std::isinf(high)) return high;
  double sum = 0;
  for (const double value : values) sum += std::exp(value - high);
  return high + std::log(sum / static_cast<double>(values.size()));
}

double log_complement(double log_probability) {
  if (log_probability >= 0) return -kInfinity;
  return log_probability > -std::numbers::ln2
             ? std::log(-std::expm1(log_probability))
             : std::log1p(-std::exp(log_probability));
}

double log_normal_upper_tail(double z) {
  if (z < 0) return std::log1p(-0.5 * std::erfc(-z / std::numbers::sqrt2));
  if (z < 20) return std::log(0.5 * std::erfc(z / std::numbers::sqrt2));
  return finite(-z * z / 2 - kHalfLogTwoPi - std::log(inverse_mills_ratio(z)));
}

double two_sided_log10_p(double z) {
  const double log_p = std::numbers::ln2 + log_normal_upper_tail(std::abs(z));
  return std::min(0.0, log_p / std::numbers::ln10);
}

double log_chi_square_upper_tail(double x, double degrees_of_freedom) {
  if (!(x > 0)) return 0;
  const double a = degrees_of_freedom / 2;
  const double tail = boost::math::gamma_q(a, x / 2, BulkPolicy());
  if (tail > 1e-280) return std::log(tail);
  const double density = 0.5 * std::log(a) - kHalfLogTwoPi -
                         bd0({a, x / 2, a - x / 2}) - stirling_error(a);
  return finite(density + std::log(incomplete_gamma_fraction(a, x / 2)));
}

double binomial_excess(double k, const BinomialLaw& law) {
  return law.p <= law.q ? std::fma(-law.n, law.p, k)
                        : -std::fma(-law.n, law.q, law.n - k);
}

double log_binomial_mass(double k, const BinomialLaw& law) {
  const double n = law.n;
  if (k == 0) return n * (law.p < 0.5 ? std::log1p(-law.p) : std::log(law.q));
  if (k == n) return n * (law.q < 0.5 ? std::log1p(-law.q) : std::log(law.p));
  const double excess = binomial_excess(k, law);
  return stirling_error(n) - stirling_error(k) - stirling_error(n - k) -
         bd0({k, n * law.p, excess}) - bd0({n - k, n * law.q, -excess}) -
         kHalfLogTwoPi - 0.5 * std::log(k / n * (n - k));
}

}  // namespace dropcheck::stats
