#include "dropcheck/stats/dirichlet_multinomial.hpp"

#include <algorithm>
#include <cmath>

#include "null_likelihood.hpp"
#include "require.hpp"
#include "special.hpp"

namespace dropcheck::stats {
namespace {

struct Cell {
  double count;
  double log_theta;
  double theta;  // may have underflowed
};

// A prior this small counts as 0 beside one observation.
constexpr double kTinyPrior = 1e-100;

struct Table {
  double n;
  double kappa;

  double total() const { return kappa + n; }

  double cell(const Cell& c) const {
    const double prior = kappa * c.theta;
    if (prior < kTinyPrior) return tiny_cell(c);
    const double mass = prior + c.count;
    const double excess = std::fma(-n, c.theta, c.count);
    return bd0({mass, total() * c.theta, excess}) +
           (stirling_error(mass) - stirling_error(prior)) -
           std::log1p(c.count / prior) / 2;
  }

  // The limit of small prior: lgamma(x + n) - lgamma(x) = lgamma(n) + ln x.
  double tiny_cell(const Cell& c) const {
    if (c.count == 0) return 0;
    return log_gamma(c.count) + std::log(kappa) + c.log_theta -
           c.count * (std::log(total()) + c.log_theta);
  }

  // All cells without a count, which hold the share `theta` together.
  double empty_cells(double theta) const {
    return theta * (n - kappa * std::log1p(n / kappa));
  }

  double normaliser() const {
    return std::log1p(n / kappa) / 2 + stirling_error(kappa) -
           stirling_error(total());
  }
};

double sum_of(std::span<const std::uint64_t> counts) {
  return as_double(require_total(counts));
}

void require_cells(std::span<const double> theta) {
  double sum = 0;
  for (const double cell : theta) {
    require(cell > 0 && cell <= 1, "theta", cell, "in (0, 1]");
    sum += cell;
  }
  require(std::abs(sum - 1) <= 1e-9, "sum of theta", sum, "1");
}

Counts pooled(std::span<const std::uint64_t> histogram) {
  const std::uint64_t units = histogram.size() - 1;
  const double total = as_double(units) * as_double(require_total(histogram));
  require(total < 0x1p63, "number of decisions", total, "below 2^63");
  Counts all;
  for (std::size_t j = 0; j < histogram.size(); ++j)
    all += {j * histogram[j], units * histogram[j]};
  return all;
}

}  // namespace

double log_dirichlet_multinomial(std::span<const std::uint64_t> counts,
                                 std::span<const double> theta, double kappa) {
  require_shape(!counts.empty(), "number of cells", counts.size(), "positive");
  require_shape(theta.size() == counts.size(), "number of theta", theta.size(),
                "the number of cells");
  require_cells(theta);
  require_positive(kappa, "kappa");
  const Table table{sum_of(counts), kappa};
  double sum = table.normaliser();
  for (std::size_t j = 0; j < counts.size(); ++j)
    sum += table.cell({as_double(counts[j]), std::log(theta[j]), theta[j]});
  return sum;
}

double log_group_count_e_value(std::span<const std::uint64_t> histogram,
                               double p0, double kappa, Interval null_rates) {
  require_shape(histogram.size() >= 2, "number of cells", histogram.size(),
                "at least 2");
  require_inner_probability(p0, "p0");
  require_positive(kappa, "kappa");
  require_rates(null_rates, "null_rates");
  const Counts all = pooled(histogram);
  if (all.n == 0) return 0;
  const Table table{sum_of(histogram), kappa};
  const BinomialLaw law{as_double(histogram.size() - 1), p0, 1 - p0};
  double sum = table.normaliser() + log_null_ratio(all, p0, null_rates);
  double empty = 1;
  for (std::size_t j = 0; j < histogram.size(); ++j) {
    if (histogram[j] == 0) continue;
    const double log_theta = log_binomial_mass(as_double(j), law);
    const double theta = std::exp(log_theta);
    sum += table.cell({as_double(histogram[j]), log_theta, theta});
    empty -= theta;
  }
  sum += table.empty_cells(std::max(empty, 0.0));
  return sum;
}

}  // namespace dropcheck::stats
