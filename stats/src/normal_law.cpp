#include "dropcheck/stats/normal_law.hpp"

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <cmath>
#include <limits>
#include <numbers>
#include <string_view>

#include "dropcheck/stats/dirichlet_multinomial.hpp"
#include "require.hpp"
#include "special.hpp"

namespace dropcheck::stats {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

void require_sizes(double n, double weight) {
  require(n >= 1 && std::isfinite(n), "n", n, "at least 1 and finite");
  require_positive(weight, "weight");
}

/// A side may be open: a result that overflowed its dtype has no upper bound.
void require_range(const Interval& range, std::string_view name, double least) {
  require(range.lower >= least && range.lower < kInfinity, name, range.lower,
          least == 0 ? "finite and not negative" : "finite or unbounded below");
  require(range.upper >= range.lower && range.upper > -kInfinity, name,
          range.upper, "at least its lower end");
}

double log_mean_evidence(double sum, double n, double weight) {
  return sum * sum / (2 * (n + weight)) - std::log1p(n / weight) / 2;
}

double log_variance_evidence(double squares, double n, double weight) {
  const double a = weight / 2;
  const double b = a + n / 2;
  return a * std::log(a) - log_gamma(a) + log_gamma(b) -
         b * std::log(a + squares / 2) + squares / 2;
}

/// Where `excluded` turns from false to true between inside and outside.
template <class Excluded>
double edge(double inside, double outside, const Excluded& excluded) {
  for (int round = 0; round < 200; ++round) {
    const double middle = inside + (outside - inside) / 2;
    if (middle == inside || middle == outside) break;
    (excluded(middle) ? outside : inside) = middle;
  }
  return outside;
}

}  // namespace

double normal_probability(double z) {
  return std::erfc(-z / std::numbers::sqrt2) / 2;
}

double normal_quantile(double probability) {
  require_inner_probability(probability, "probability");
  return boost::math::quantile(boost::math::normal(), probability);
}

double log_normal_mean_e_value(const Interval& sum, double n, double weight) {
  require_sizes(n, weight);
  require_range(sum, "sum", -kInfinity);
  return log_mean_evidence(std::clamp(0.0, sum.lower, sum.upper), n, weight);
}

Interval normal_mean_interval(const Interval& sum, double n, double weight,
                              double log_inverse_alpha) {
  require_sizes(n, weight);
  require_range(sum, "sum", -kInfinity);
  require_positive(log_inverse_alpha, "log_inverse_alpha");
  // sum - n mean is excluded where its evidence reaches the level.
  const double half =
      std::sqrt(2 * (n + weight) *
                (log_inverse_alpha + std::log1p(n / weight) / 2)) /
      n;
  return {sum.lower / n - half, sum.upper / n + half};
}

double log_normal_variance_e_value(const Interval& squares, double n,
                                   double weight) {
  require_sizes(n, weight);
  require_range(squares, "squares", 0);
  // The evidence is convex in the sum of squares, with its minimum at n.
  return log_variance_evidence(std::clamp(n, squares.lower, squares.upper), n,
                               weight);
}

Interval normal_variance_interval(const Interval& squares, double n,
                                  double weight, double log_inverse_alpha) {
  require_sizes(n, weight);
  require_range(squares, "squares", 0);
  require_positive(log_inverse_alpha, "log_inverse_alpha");
  require_positive(squares.lower, "squares");
  const auto excluded_for = [&](double sum) {
    return [=](double variance) {
      return log_variance_evidence(sum / variance, n, weight) >=
             log_inverse_alpha;
    };
  };
  return {edge(squares.lower / n, 0, excluded_for(squares.lower)),
          edge(squares.upper / n, 1e6 * squares.upper / n,
               excluded_for(squares.upper))};
}

double log_banded_multinomial_e_value(std::span<const std::uint64_t> counts,
                                      std::span<const double> theta,
                                      std::span<const Interval> band,
                                      double kappa) {
  require_shape(band.size() == theta.size(), "length of band", band.size(),
                "that of theta");
  for (std::size_t j = 0; j < theta.size(); ++j) {
    require(band[j].lower <= theta[j] && theta[j] <= band[j].upper,
            "cell probability theta", theta[j], "inside its band");
  }
  const double at_theta = log_dirichlet_multinomial(counts, theta, kappa);
  const auto best = [&](std::size_t j, double scale) {
    return std::clamp(as_double(counts[j]) / scale, band[j].lower,
                      band[j].upper);
  };
  const auto sum = [&](double scale) {
    double total = 0;
    for (std::size_t j = 0; j < counts.size(); ++j) total += best(j, scale);
    return total;
  };
  double n = 0;
  for (const std::uint64_t count : counts) n += as_double(count);
  if (n == 0) return at_theta;
  // The sum falls with the scale, from that of the upper bounds to the lower.
  double low = std::log(n) - 100;
  double high = std::log(n) + 100;
  for (int round = 0; round < 200; ++round) {
    const double middle = (low + high) / 2;
    (sum(std::exp(middle)) > 1 ? low : high) = middle;
  }
  double gain = 0;
  for (std::size_t j = 0; j < counts.size(); ++j) {
    if (counts[j] == 0) continue;
    // The lower scale: a sum a little above 1 only makes the e-value smaller.
    gain += as_double(counts[j]) * std::log(best(j, std::exp(low)) / theta[j]);
  }
  return at_theta - std::max(gain, 0.0);
}

}  // namespace dropcheck::stats
