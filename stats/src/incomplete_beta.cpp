#include "incomplete_beta.hpp"

#include <algorithm>
#include <boost/math/quadrature/gauss.hpp>
#include <boost/math/special_functions/beta.hpp>
#include <boost/math/special_functions/log1p.hpp>
#include <cmath>
#include <exception>
#include <limits>

namespace dropcheck::stats {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

namespace policies = boost::math::policies;
using Policy = policies::policy<policies::promote_double<false>,
                                policies::promote_float<false>>;

// A product c d of two rounded numbers is told from 1 no closer.
constexpr double kConverged = 1e-15;

// x^a (1-x)^b / (B(a, b) I_x(a, b)) for a = k, b = n - k + 1 and x = p, by
// Lentz's method. The distance from the mean enters as k - (n + 1) p, rounded
// once, so that no digits cancel however large n is.
class BetaFraction {
 public:
  BetaFraction(double k, const BinomialLaw& law)
      : a_(k),
        b_(law.n - k + 1),
        x_(law.p),
        y_(law.q),
        excess_(binomial_excess(k, law) - law.p) {}

  double value() const {
    double value = away_from_zero(denominator(0));
    double c = value;
    double d = 0;
    for (double m = 1; m < 1e6; ++m) {
      const double next = denominator(m);
      const double above = numerator(m);
      d = 1 / away_from_zero(next + above * d);
      c = away_from_zero(next + above / c);
      value *= c * d;
      if (std::abs(c * d - 1) < kConverged) return value;
    }
    return kNaN;
  }

 private:
  static double away_from_zero(double value) {
    constexpr double kTiny = 1e-300;
    return std::abs(value) < kTiny ? kTiny : value;
  }
  double numerator(double m) const {
    const double step = a_ + 2 * m - 1;
    return (a_ + m - 1) / step * (a_ + b_ + m - 1) / step * m * (b_ - m) * x_ *
           x_;
  }
  double denominator(double m) const {
    const double first = m == 0 ? 0 : m * (b_ - m) * x_ / (a_ + 2 * m - 1);
    return m + first +
           (a_ + m) * (excess_ + 1 + m * (1 + y_)) / (a_ + 2 * m + 1);
  }

  double a_, b_, x_, y_, excess_;
};

// The beta density below p, over its value at p, as a function of p - t.
class DensityBelow {
 public:
  DensityBelow(double k, const BinomialLaw& law)
      : left_(k - 1),
        right_(law.n - k),
        p_(law.p),
        q_(law.q),
        slope_((binomial_excess(k, law) - law.q) / (law.p * law.q)) {}

  double operator()(double u) const {
    using boost::math::log1pmx;
    return std::exp(-slope_ * u + left_ * log1pmx(-u / p_, Policy()) +
                    right_ * log1pmx(u / q_, Policy()));
  }

 private:
  double left_, right_, p_, q_, slope_;
};

double standard_deviation(const BinomialLaw& law) {
  return std::sqrt(law.n * law.p * law.q);
}

// 2 n KL(k / n || p) as a signed root, with the excess known exactly.
double signed_root(double k, double excess, const BinomialLaw& law) {
  const double divergence = bd0({k, law.n * law.p, excess}) +
                            bd0({law.n - k, law.n * law.q, -excess});
  return std::copysign(std::sqrt(2 * divergence), excess);
}

}  // namespace

bool in_upper_half(double k, const BinomialLaw& law) {
  return law.p * (law.n + 3) < k + 1;
}

double log_tail_by_boost(double k, const BinomialLaw& law) {
  constexpr double kSmallest = 1e-280;
  try {
    const double rest = law.n - k + 1;
    const double tail = law.p <= law.q
                            ? boost::math::ibeta(k, rest, law.p, Policy())
                            : boost::math::ibetac(rest, k, law.q, Policy());
    return tail > kSmallest ? std::log(tail) : kNaN;
  } catch (const std::exception&) {
    return kNaN;
  }
}

double log_tail_by_fraction(double k, const BinomialLaw& law) {
  const double fraction = BetaFraction(k, law).value();
  return log_binomial_mass(k, law) + std::log(law.q) + std::log(k / fraction);
}

// P(X >= k) = k C(n, k) times the integral of t^(k-1) (1-t)^(n-k) below p. In
// standard deviations w of p the density falls as exp(-z w - w^2 / 2), or
// faster: beyond nine nothing is left. Half the nodes lie in the first third.
double log_tail_by_integral(double k, const BinomialLaw& law) {
  using boost::math::quadrature::gauss;
  const DensityBelow density(k, law);
  const double reach = std::min(law.p, 9.5 * standard_deviation(law) / law.n);
  const double area = gauss<double, 20>::integrate(density, 0.0, reach / 3) +
                      gauss<double, 20>::integrate(density, reach / 3, reach);
  return log_binomial_mass(k, law) + std::log(k / law.p * area);
}

double own_log_tail(double k, const BinomialLaw& law) {
  const double deviation = standard_deviation(law);
  const bool slow =
      deviation > 100 && binomial_excess(k, law) < 2 * deviation && k < law.n;
  return slow ? log_tail_by_integral(k, law) : log_tail_by_fraction(k, law);
}

Interval sandwich(double k, const BinomialLaw& law) {
  const double excess = binomial_excess(k, law);
  const double lower = k == law.n
                           ? log_binomial_mass(k, law)
                           : log_normal_upper_tail(signed_root(k, excess, law));
  const double upper =
      k == 1 ? log_complement(log_binomial_mass(0, law))
             : log_normal_upper_tail(signed_root(k - 1, excess - 1, law));
  return {lower, upper};
}

bool within(const Interval& bounds, double log_probability) {
  const double slack = 1e-12 * (1 + std::abs(log_probability));
  return log_probability >= bounds.lower - slack &&
         log_probability <= bounds.upper + slack;
}

}  // namespace dropcheck::stats
