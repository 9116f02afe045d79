#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "dropcheck/stats/counts.hpp"

namespace dropcheck::stats {

/// At most 16 cells for the number of drops in a group, chosen before data.
///
/// Values  edges at mean + 0.4 k standard deviations of Binomial(size, p0),
///         k = -7..7, rounded down; edges outside the range or twice the same
///         are left out. Cell j holds the counts in (edge j-1, edge j].
/// Throws  std::domain_error unless size >= 1 and p0 is in (0, 1).
class CountCells {
 public:
  CountCells(std::uint64_t group_size, double p0);

  /// The cell of that many drops, below number().
  std::size_t cell_of(std::uint64_t drops) const;
  std::size_t number() const { return probabilities_.size(); }

  /// P(cell) under Binomial(size, p0); they sum to 1 within 1e-12.
  std::span<const double> probabilities() const { return probabilities_; }

  std::uint64_t group_size() const { return group_size_; }
  double p0() const { return p0_; }

 private:
  std::uint64_t group_size_;
  double p0_;
  std::vector<std::uint64_t> edges_;
  std::vector<double> probabilities_;
};

/// ln of the e-value of groups counted by cell: is their law binomial?
///
/// Shape   counts[j] groups fell into cell j; `all` pools their decisions.
/// Formula mean over kappa in {1, 16, 256} of Dirichlet-multinomial(counts;
///         kappa theta) / prod_j theta_j^counts[j], theta the cells at p0,
///         times the likelihood of all decisions at p0 over the largest one of
///         any rate in null_rates.
/// Law     mean at most 1 for independent units of one rate in null_rates, at
///         every stopping time that falls between groups. The alternative
///         draws a cell and then a count as the binomial law does inside it,
///         so that the largest likelihood needs no search.
/// Power   a fixed number of drops is refuted in about 15 groups at 1e-9.
/// Cost    below 5 microseconds.
/// Throws  std::invalid_argument if counts has another length than the cells;
///         std::domain_error if all.n is not the number of groups times their
///         size, or null_rates no interval within [0, 1].
double log_cell_e_value(std::span<const std::uint64_t> counts,
                        const Counts& all, const CountCells& cells,
                        Interval null_rates);

/// Tests whether the drops in groups of one size (rows, calls, blocks) are
/// binomial: neither a fixed number nor overdispersed.
///
/// Merge   exact, in any order: the state is how often each number occurred.
class Dispersion {
 public:
  /// Throws as CountCells.
  Dispersion(std::uint64_t group_size, double p0);

  /// Adds `times` groups of that many drops. Throws std::domain_error if drops
  /// exceeds the group's size.
  void add(std::uint64_t drops, std::uint64_t times = 1);

  /// Throws std::domain_error if the other's groups have another size or p0.
  void merge(const Dispersion& other);

  std::uint64_t groups() const { return groups_; }
  const Counts& all() const { return all_; }
  const CountCells& cells() const { return cells_; }
  std::span<const std::uint64_t> cell_counts() const { return cell_counts_; }

  /// Variance of the number of drops over that of independent units at the
  /// pooled rate; 1 before the second group and where no variance is due.
  double variance_ratio() const;

  /// log_cell_e_value of these groups: any departure of the law of counts.
  double log_any_law_e_value(Interval null_rates) const;

  /// ln of the e-value against a rate of its own for every group.
  ///
  /// Formula mean over v of prod_g BetaBinomial(drops_g; kappa_v p0, kappa_v
  ///         (1 - p0)) over the largest likelihood of one rate in null_rates.
  ///         v - 1 = 2^-6, 2^-5, ... is the excess of the variance ratio and
  ///         kappa_v = (size - 1) / (v - 1) - 1 > 0.
  /// Law     as above. Groups of one unit say nothing: 0.
  /// Cost    about 0.1 microseconds a distinct number of drops and v.
  double log_own_rate_e_value(Interval null_rates) const;

  /// ln of the mean of the two.
  double log_e_value(Interval null_rates) const;

 private:
  CountCells cells_;
  std::vector<std::uint64_t> cell_counts_;
  std::map<std::uint64_t, std::uint64_t> histogram_;
  std::uint64_t groups_ = 0;
  Counts all_;
};

}  // namespace dropcheck::stats
