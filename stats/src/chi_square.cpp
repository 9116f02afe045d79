#include "dropcheck/stats/chi_square.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "require.hpp"
#include "special.hpp"

namespace dropcheck::stats {
namespace {

constexpr double kMergeBelow = 100;
constexpr double kFewCellsNeed = 1000;
constexpr std::size_t kFewCells = 8;
constexpr double kCalibratedAlpha = 1e-9;

struct Cell {
  double observed = 0;
  double expected = 0;
};

// Left to right; what is left over joins the last full cell.
std::vector<Cell> merge_neighbours(const std::vector<Cell>& cells) {
  std::vector<Cell> merged;
  Cell open;
  const auto absorb = [](Cell& into, const Cell& from) {
    into.observed += from.observed;
    into.expected += from.expected;
  };
  for (const Cell& cell : cells) {
    absorb(open, cell);
    if (open.expected < kMergeBelow) continue;
    merged.push_back(open);
    open = {};
  }
  if (merged.empty()) return {open};
  absorb(merged.back(), open);
  return merged;
}

double pearson(const std::vector<Cell>& cells) {
  double sum = 0;
  for (const auto& [observed, expected] : cells) {
    const double residual = observed - expected;
    sum += safe_product(residual * residual, 1 / expected);
  }
  return sum;
}

double smallest_expected(const std::vector<Cell>& cells) {
  double smallest = std::numeric_limits<double>::infinity();
  for (const Cell& cell : cells) smallest = std::min(smallest, cell.expected);
  return smallest;
}

// Which rule of calibration fails, or nothing.
std::string objection(const std::vector<Cell>& cells, double alpha) {
  const double needed = cells.size() < kFewCells ? kFewCellsNeed : kMergeBelow;
  const double smallest = smallest_expected(cells);
  if (smallest < needed)
    return fmt::format("asymptotic: smallest expected count {:.3g}, needs {}",
                       smallest, needed);
  if (alpha < kCalibratedAlpha)
    return fmt::format("asymptotic: calibrated down to alpha = 1e-9 only");
  return {};
}

Diagnostic assess(std::string name, const std::vector<Cell>& cells,
                  double degrees, double alpha) {
  Diagnostic result{.name = std::move(name),
                    .statistic = pearson(cells),
                    .degrees_of_freedom = degrees,
                    .note = objection(cells, alpha)};
  result.log10_p =
      log_chi_square_upper_tail(result.statistic, degrees) / std::numbers::ln10;
  result.valid_at_level = result.note.empty();
  if (result.valid_at_level) result.note = "compare p with alpha / 2";
  return result;
}

Diagnostic nothing_to_test(std::string name, std::string why) {
  return {.name = std::move(name), .note = std::move(why)};
}

void require_law(std::span<const double> probabilities) {
  double sum = 0;
  for (const double p : probabilities) {
    require_probability(p, "expected probability");
    sum += p;
  }
  require(std::abs(sum - 1) <= 1e-9, "sum of expected probabilities", sum, "1");
}

struct Margins {
  std::vector<double> rows;
  std::vector<double> columns;
};
Margins margins_of(std::span<const std::uint64_t> counts, std::size_t columns) {
  Margins margins{std::vector<double>(counts.size() / columns),
                  std::vector<double>(columns)};
  for (std::size_t i = 0; i < counts.size(); ++i) {
    margins.rows[i / columns] += as_double(counts[i]);
    margins.columns[i % columns] += as_double(counts[i]);
  }
  return margins;
}

double used(const std::vector<double>& margin) {
  return static_cast<double>(std::count_if(margin.begin(), margin.end(),
                                           [](double n) { return n > 0; }));
}

std::vector<double> binomial_cells(std::size_t cells, double p) {
  const BinomialLaw law{as_double(cells - 1), p, 1 - p};
  std::vector<double> probabilities(cells);
  for (std::size_t j = 0; j < cells; ++j)
    probabilities[j] = std::exp(log_binomial_mass(as_double(j), law));
  return probabilities;
}

}  // namespace

Diagnostic goodness_of_fit(std::span<const std::uint64_t> observed,
                           std::span<const double> expected_probabilities,
                           double alpha) {
  require_level(alpha, "alpha");
  const std::size_t size = observed.size();
  require_shape(size > 0, "number of cells", size, "positive");
  require_shape(expected_probabilities.size() == size,
                "number of expected probabilities",
                expected_probabilities.size(), "the number of cells");
  require_law(expected_probabilities);
  const double n = as_double(require_total(observed));
  std::vector<Cell> cells(size);
  for (std::size_t j = 0; j < size; ++j)
    cells[j] = {as_double(observed[j]), n * expected_probabilities[j]};
  const std::vector<Cell> merged = merge_neighbours(cells);
  if (merged.size() < 2)
    return nothing_to_test("goodness of fit", "one cell left after merging");
  Diagnostic result = assess("goodness of fit", merged,
                             static_cast<double>(merged.size() - 1), alpha);
  result.note +=
      fmt::format("; {} of {} cells after merging", merged.size(), size);
  return result;
}

Diagnostic binomial_group_fit(std::span<const std::uint64_t> histogram,
                              double p, double alpha) {
  require_shape(histogram.size() >= 2, "number of cells", histogram.size(),
                "at least 2");
  require_inner_probability(p, "p");
  Diagnostic result =
      goodness_of_fit(histogram, binomial_cells(histogram.size(), p), alpha);
  result.name = "drops per group";
  return result;
}

Diagnostic homogeneity_chi_square(std::span<const Counts> groups,
                                  double alpha) {
  require_level(alpha, "alpha");
  const Counts all = require_pooled(groups);
  const double rate = as_double(all.drops) / as_double(all.n);
  std::vector<Cell> cells;
  for (const auto& [drops, n] : groups) {
    if (n == 0) continue;
    const double size = as_double(n);
    cells.push_back({as_double(drops), size * rate});
    cells.push_back({as_double(n - drops), size * (1 - rate)});
  }
  if (cells.size() < 4 || all.drops == 0 || all.drops == all.n)
    return nothing_to_test("homogeneity", "fewer than two groups or outcomes");
  return assess("homogeneity", cells, as_double(cells.size() / 2 - 1), alpha);
}

Diagnostic independence_chi_square(const TwoByTwo& table, double alpha) {
  const std::uint64_t cells[] = {table.dropped_dropped, table.dropped_kept,
                                 table.kept_dropped, table.kept_kept};
  require_total(cells);
  const Counts groups[] = {
      {table.dropped_dropped, table.dropped_dropped + table.dropped_kept},
      {table.kept_dropped, table.kept_dropped + table.kept_kept}};
  Diagnostic result = homogeneity_chi_square(groups, alpha);
  result.name = "independence";
  return result;
}

Diagnostic independence_chi_square(std::span<const std::uint64_t> counts,
                                   std::size_t columns, double alpha) {
  require_level(alpha, "alpha");
  require_shape(columns > 0, "columns", columns, "positive");
  require_shape(!counts.empty() && counts.size() % columns == 0,
                "number of counts", counts.size(),
                "a positive multiple of columns");
  const double n = as_double(require_total(counts));
  const Margins margins = margins_of(counts, columns);
  if (used(margins.rows) < 2 || used(margins.columns) < 2)
    return nothing_to_test("independence", "fewer than two rows or columns");
  std::vector<Cell> cells;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const double expected =
        margins.rows[i / columns] * margins.columns[i % columns] / n;
    if (expected > 0) cells.push_back({as_double(counts[i]), expected});
  }
  return assess("independence", cells,
                (used(margins.rows) - 1) * (used(margins.columns) - 1), alpha);
}

}  // namespace dropcheck::stats
