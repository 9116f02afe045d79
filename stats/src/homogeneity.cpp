#include "dropcheck/stats/homogeneity.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include "dropcheck/stats/beta_binomial.hpp"
#include "require.hpp"
#include "special.hpp"

namespace dropcheck::stats {
namespace {

constexpr BetaPrior kJeffreys{0.5, 0.5};

// Equal groups are evaluated once.
struct Class {
  Counts counts;
  double groups;
};

std::vector<Class> run_lengths(std::span<const Counts> sorted) {
  std::vector<Class> classes;
  for (const Counts& counts : sorted) {
    if (classes.empty() || classes.back().counts != counts)
      classes.push_back({counts, 0});
    ++classes.back().groups;
  }
  return classes;
}

bool same_size(std::span<const Counts> groups) {
  return std::all_of(groups.begin(), groups.end(),
                     [&](const Counts& c) { return c.n == groups.front().n; });
}

// Groups of n, of few distinct counts: a table instead of a sort.
template <class Group, class DropsOf>
std::vector<Class> tabulate(std::span<const Group> groups, std::uint64_t n,
                            std::uint64_t most, const DropsOf& drops_of) {
  std::vector<double> table(most + 1);
  for (const Group& group : groups) ++table[drops_of(group)];
  std::vector<Class> classes;
  for (std::size_t drops = 0; drops < table.size(); ++drops)
    if (table[drops] > 0) classes.push_back({{drops, n}, table[drops]});
  return classes;
}

std::vector<Class> classify(std::span<const Counts> groups) {
  const std::uint64_t n = groups.front().n;
  if (same_size(groups) && n <= 4 * groups.size())
    return tabulate(groups, n, n, [](const Counts& c) { return c.drops; });
  std::vector<Counts> sorted(groups.begin(), groups.end());
  std::sort(sorted.begin(), sorted.end(), [](const auto& x, const auto& y) {
    return x.n != y.n ? x.n < y.n : x.drops < y.drops;
  });
  return run_lengths(sorted);
}

class Homogeneity {
 public:
  explicit Homogeneity(std::span<const Counts> groups)
      : all_(require_pooled(groups)) {
    if (all_.n == 0) return;
    classes_ = classify(groups);
    groups_ = static_cast<double>(groups.size());
    pooled_ = as_double(all_.drops) / as_double(all_.n);
  }

  Homogeneity(std::span<const std::uint32_t> drops, std::uint64_t n,
              std::uint64_t most) {
    groups_ = static_cast<double>(drops.size());
    // Far from where whole numbers end.
    require(as_double(n) * groups_ < 0x1p62, "n of all groups",
            as_double(n) * groups_, "below 2^62");
    require_counts({most, n});
    if (n == 0) return;
    classes_ = tabulate(drops, n, most, [](std::uint32_t d) { return d; });
    for (const auto& [counts, groups] : classes_) {
      const auto times = static_cast<std::uint64_t>(groups);
      all_ += {counts.drops * times, n * times};
    }
    pooled_ = as_double(all_.drops) / as_double(all_.n);
  }

  bool empty() const { return all_.n == 0; }

  // Every group has a rate of its own.
  double even(const BetaPrior& prior) const {
    double sum = 0;
    for (const auto& [counts, groups] : classes_)
      sum += groups * log_martingale(counts, prior, pooled_);
    return sum;
  }

  // One group, each with equal prior probability, differs from all others.
  double sparse(const BetaPrior& rest_prior) const {
    std::vector<double> terms;
    for (const auto& [counts, groups] : classes_) {
      const Counts rest{all_.drops - counts.drops, all_.n - counts.n};
      terms.push_back(std::log(groups / groups_) +
                      log_martingale(counts, kJeffreys, pooled_) +
                      log_martingale(rest, rest_prior, pooled_));
    }
    return log_mean_exp(terms) + std::log(static_cast<double>(terms.size()));
  }

 private:
  Counts all_;
  std::vector<Class> classes_;
  double groups_ = 0;
  double pooled_ = 0;
};

BetaPrior spread_prior(double p0, double relative_spread) {
  const double tau = relative_spread * std::min(p0, 1 - p0);
  return prior_around(p0, p0 * (1 - p0) / (tau * tau));
}

double log_e_value(const Homogeneity& data, double p0) {
  if (data.empty()) return 0;
  constexpr std::array kSpreads = {0.01, 0.02, 0.05, 0.10, 0.30};
  std::array<double, kSpreads.size()> even;
  for (std::size_t i = 0; i < kSpreads.size(); ++i)
    even[i] = data.even(spread_prior(p0, kSpreads[i]));
  const double sparse = data.sparse(spread_prior(p0, 0.01));
  return log_add(log_mean_exp(even), sparse) - std::numbers::ln2;
}

}  // namespace

double log_homogeneity_e_value(std::span<const Counts> groups, double p0) {
  require_inner_probability(p0, "p0");
  return log_e_value(Homogeneity(groups), p0);
}

double log_homogeneity_e_value(std::span<const std::uint32_t> drops,
                               std::uint64_t n, double p0) {
  require_inner_probability(p0, "p0");
  if (drops.empty()) return 0;
  const std::uint64_t most = *std::max_element(drops.begin(), drops.end());
  if (most <= 4 * drops.size())
    return log_e_value(Homogeneity(drops, n, most), p0);
  std::vector<Counts> groups;
  for (const std::uint32_t count : drops) groups.push_back({count, n});
  return log_homogeneity_e_value(groups, p0);
}

double log_homogeneity_jeffreys(std::span<const Counts> groups) {
  const Homogeneity data(groups);
  return data.empty() ? 0 : data.even(kJeffreys);
}

}  // namespace dropcheck::stats
