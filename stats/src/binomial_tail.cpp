#include "dropcheck/stats/binomial_tail.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "dropcheck/stats/kl.hpp"
#include "require.hpp"
#include "special.hpp"

namespace dropcheck::stats {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// A product c d of two rounded numbers cannot be told from 1 any closer.
constexpr double kUlp = 2.3e-16;

double away_from_zero(double value) {
  constexpr double kTiny = 1e-300;
  return std::abs(value) < kTiny ? kTiny : value;
}

// Lentz's evaluation of I_x(a, b) a B(a, b) / (x^a (1-x)^b), which converges in
// about sqrt(max(a, b)) steps where x < (a + 1) / (a + b + 2).
class BetaFraction {
 public:
  BetaFraction(double a, double b, double x) : a_(a), b_(b), x_(x) {}

  double value() {
    d_ = 1 / away_from_zero(1 - (a_ + b_) * x_ / (a_ + 1));
    h_ = d_;
    for (int i = 1; i < 50'000'000; ++i) {
      const double m = i;
      const double even = a_ + 2 * m;
      step(m * (b_ - m) * x_ / ((even - 1) * even));
      const double odd = (a_ + m) * (a_ + b_ + m) * x_;
      if (std::abs(step(-odd / (even * (even + 1))) - 1) < kUlp) break;
    }
    return h_;
  }

 private:
  double step(double numerator) {
    d_ = 1 / away_from_zero(1 + numerator * d_);
    c_ = away_from_zero(1 + numerator / c_);
    h_ *= c_ * d_;
    return c_ * d_;
  }

  double a_, b_, x_;
  double c_ = 1, d_ = 0, h_ = 0;
};

bool in_upper_half(double k, const BinomialLaw& law) {
  return law.p * (law.n + 3) < k + 1;
}

// For 1 <= k <= n in the upper half.
double log_far_tail(double k, const BinomialLaw& law) {
  const double fraction = BetaFraction(k, law.n - k + 1, law.p).value();
  return log_binomial_mass(k, law) + std::log(law.q) + std::log(fraction);
}

double log_tail(double k, const BinomialLaw& law) {
  if (k <= 0) return 0;
  if (k > law.n || law.p == 0) return -kInfinity;
  if (law.q == 0) return 0;
  if (k == law.n) return log_binomial_mass(k, law);
  if (in_upper_half(k, law)) return log_far_tail(k, law);
  const BinomialLaw mirror{law.n, law.q, law.p};
  return std::min(0.0, log_complement(log_far_tail(law.n - k + 1, mirror)));
}

double signed_root(double s, double n, double p) {
  const double root = std::sqrt(2 * n * kl_bernoulli(s / n, p));
  return s < n * p ? -root : root;
}

}  // namespace

double log_upper_tail(std::uint64_t k, std::uint64_t n, double p) {
  require_probability(p, "p");
  return log_tail(as_double(k), {as_double(n), p, 1 - p});
}

double log_lower_tail(std::uint64_t k, std::uint64_t n, double p) {
  require_probability(p, "p");
  if (k >= n) return 0;
  return log_tail(as_double(n - k), {as_double(n), 1 - p, p});
}

double log_two_sided_p(std::uint64_t k, std::uint64_t n, double p) {
  const double tail =
      std::min(log_upper_tail(k, n, p), log_lower_tail(k, n, p));
  return std::min(0.0, std::numbers::ln2 + tail);
}

Interval zubkov_serov_log_upper(std::uint64_t k, std::uint64_t n, double p) {
  require_inner_probability(p, "p");
  require(k >= 1 && k <= n, "k", as_double(k), "in [1, n]");
  const double size = as_double(n);
  const double count = as_double(k);
  const double lower = k == n
                           ? size * std::log(p)
                           : log_normal_upper_tail(signed_root(count, size, p));
  const double upper =
      k == 1 ? log_complement(size * std::log1p(-p))
             : log_normal_upper_tail(signed_root(count - 1, size, p));
  return {lower, upper};
}

}  // namespace dropcheck::stats
