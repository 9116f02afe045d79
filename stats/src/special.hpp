#pragma once

#include <cstdint>
#include <span>

namespace dropcheck::stats {

/// Arguments of bd0 when the difference x - m is known better than m is.
struct Deviance {
  double x;
  double m;
  double difference;
};
double bd0(const Deviance& deviance);

/// What Stirling's formula leaves: lgamma(x) - [(x-1/2) ln x - x + ln(2 pi)/2].
double stirling_error(double x);

/// lgamma for x > 0, without the global sign that std::lgamma writes.
double log_gamma(double x);

/// ln(e^a + e^b), ln of the mean of e^v, and ln(1 - e^a) for a <= 0.
double log_add(double a, double b);
double log_mean_exp(std::span<const double> values);
double log_complement(double log_probability);

/// ln P(Z >= z) of a standard normal. Never minus infinity: where the
/// logarithm itself leaves the doubles, the least of them.
double log_normal_upper_tail(double z);

/// log10 of the two-sided p-value of a standard normal statistic.
double two_sided_log10_p(double z);

/// ln P(X >= x) of chi-square with that many degrees of freedom, as finite.
double log_chi_square_upper_tail(double x, double degrees_of_freedom);

/// One binomial law, with q given beside p so that neither is rounded.
struct BinomialLaw {
  double n;
  double p;
  double q;
};
/// k - n p, rounded once.
double binomial_excess(double k, const BinomialLaw& law);

/// ln P(X = k), for p in (0, 1).
double log_binomial_mass(double k, const BinomialLaw& law);

/// ln(x / m) for positive x and m: exact for close ones, finite for tiny ones.
double log_ratio(const Deviance& ratio);

/// a * b where a is 0 although b is infinite: then 0.
inline double safe_product(double a, double b) { return a == 0 ? 0 : a * b; }

inline double as_double(std::uint64_t count) {
  return static_cast<double>(count);
}

}  // namespace dropcheck::stats
