#include "dropcheck/stats/dispersion.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "dropcheck/stats/beta_binomial.hpp"
#include "dropcheck/stats/binomial_tail.hpp"
#include "dropcheck/stats/dirichlet_multinomial.hpp"
#include "null_likelihood.hpp"
#include "require.hpp"
#include "special.hpp"

namespace dropcheck::stats {
namespace {

constexpr double kCellWidth = 0.4;  // in standard deviations
constexpr int kEdgesPerSide = 7;
constexpr std::array kPriorWeights = {1.0, 16.0, 256.0};
constexpr double kLeastExcess = 1.0 / 64;

std::vector<std::uint64_t> edges_of(std::uint64_t size, double p0) {
  const double mean = as_double(size) * p0;
  const double deviation = std::sqrt(mean * (1 - p0));
  std::vector<std::uint64_t> edges;
  for (int k = -kEdgesPerSide; k <= kEdgesPerSide; ++k) {
    const double edge = std::floor(mean + deviation * kCellWidth * k);
    if (edge < 0 || edge >= as_double(size)) continue;
    const auto whole = static_cast<std::uint64_t>(edge);
    if (edges.empty() || whole > edges.back()) edges.push_back(whole);
  }
  return edges;
}

// P(first < X <= last), from the tails on the side of the mean where they lie.
double between(std::uint64_t first, std::uint64_t last, std::uint64_t size,
               double p0) {
  const double mean = as_double(size) * p0;
  const auto up_to = [&](std::uint64_t k) {
    return std::exp(log_lower_tail(k, size, p0));
  };
  const auto above = [&](std::uint64_t k) {
    return std::exp(log_upper_tail(k + 1, size, p0));
  };
  if (as_double(last) <= mean) return up_to(last) - up_to(first);
  if (as_double(first) >= mean) return above(first) - above(last);
  return 1 - up_to(first) - above(last);
}

// ln of the beta-binomial e-value of all groups against the one rate p0.
double log_own_rate(const std::map<std::uint64_t, std::uint64_t>& histogram,
                    const CountCells& cells, double excess) {
  const double size = as_double(cells.group_size());
  const BetaPrior prior = prior_around(cells.p0(), (size - 1) / excess - 1);
  double sum = 0;
  for (const auto& [drops, times] : histogram)
    sum += as_double(times) *
           log_martingale({drops, cells.group_size()}, prior, cells.p0());
  return sum;
}

}  // namespace

CountCells::CountCells(std::uint64_t group_size, double p0)
    : group_size_(group_size), p0_(p0) {
  require(group_size >= 1, "group_size", as_double(group_size), "at least 1");
  require_inner_probability(p0, "p0");
  edges_ = edges_of(group_size, p0);
  if (edges_.empty()) {
    probabilities_ = {1};
    return;
  }
  probabilities_.push_back(
      std::exp(log_lower_tail(edges_.front(), group_size, p0)));
  for (std::size_t j = 1; j < edges_.size(); ++j)
    probabilities_.push_back(between(edges_[j - 1], edges_[j], group_size, p0));
  probabilities_.push_back(
      std::exp(log_upper_tail(edges_.back() + 1, group_size, p0)));
}

std::size_t CountCells::cell_of(std::uint64_t drops) const {
  require(drops <= group_size_, "drops", as_double(drops),
          "at most the size of the group");
  const auto edge = std::lower_bound(edges_.begin(), edges_.end(), drops);
  return static_cast<std::size_t>(edge - edges_.begin());
}

double log_cell_e_value(std::span<const std::uint64_t> counts,
                        const Counts& all, const CountCells& cells,
                        Interval null_rates) {
  require_counts(all);
  require_rates(null_rates, "null_rates");
  require_shape(counts.size() == cells.number(), "number of counts",
                counts.size(), "the number of cells");
  std::uint64_t groups = 0;
  for (const std::uint64_t count : counts) groups += count;
  require(all.n == groups * cells.group_size(), "all.n", as_double(all.n),
          "the number of groups times their size");
  if (groups == 0 || counts.size() == 1) return 0;
  std::array<double, kPriorWeights.size()> tables;
  for (std::size_t i = 0; i < tables.size(); ++i)
    tables[i] = log_dirichlet_multinomial(counts, cells.probabilities(),
                                          kPriorWeights[i]);
  return log_mean_exp(tables) + log_null_ratio(all, cells.p0(), null_rates);
}

Dispersion::Dispersion(std::uint64_t group_size, double p0)
    : cells_(group_size, p0), cell_counts_(cells_.number()) {}

void Dispersion::add(std::uint64_t drops, std::uint64_t times) {
  if (times == 0) return;
  cell_counts_[cells_.cell_of(drops)] += times;
  histogram_[drops] += times;
  groups_ += times;
  all_ += {drops * times, cells_.group_size() * times};
}

void Dispersion::merge(const Dispersion& other) {
  require(other.cells_.group_size() == cells_.group_size(), "group_size",
          as_double(other.cells_.group_size()), "that of the other groups");
  require(other.cells_.p0() == cells_.p0(), "p0", other.cells_.p0(),
          "that of the other groups");
  for (const auto& [drops, times] : other.histogram_) add(drops, times);
}

double Dispersion::variance_ratio() const {
  if (groups_ < 2) return 1;
  const double groups = as_double(groups_);
  const double size = as_double(cells_.group_size());
  const double rate = as_double(all_.drops) / as_double(all_.n);
  const double due = size * rate * (1 - rate);
  if (due == 0) return 1;
  double squares = 0;
  for (const auto& [drops, times] : histogram_) {
    const double deviation = std::fma(-size, rate, as_double(drops));
    squares += as_double(times) * deviation * deviation;
  }
  return squares / (groups - 1) / due;
}

double Dispersion::log_any_law_e_value(Interval null_rates) const {
  return log_cell_e_value(cell_counts_, all_, cells_, null_rates);
}

double Dispersion::log_own_rate_e_value(Interval null_rates) const {
  require_rates(null_rates, "null_rates");
  const double largest = as_double(cells_.group_size()) - 1;
  std::vector<double> logs;
  for (double excess = kLeastExcess; excess < largest; excess *= 2)
    logs.push_back(log_own_rate(histogram_, cells_, excess));
  if (groups_ == 0 || logs.empty()) return 0;
  return log_mean_exp(logs) + log_null_ratio(all_, cells_.p0(), null_rates);
}

double Dispersion::log_e_value(Interval null_rates) const {
  return log_add(log_any_law_e_value(null_rates),
                 log_own_rate_e_value(null_rates)) -
         std::numbers::ln2;
}

}  // namespace dropcheck::stats
