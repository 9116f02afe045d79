#include "dropcheck/stats/chi_square.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "pearson_size.hpp"
#include "require.hpp"
#include "special.hpp"

namespace dropcheck::stats {
namespace {

constexpr double kLeastExpected = 100;
constexpr double kCalibratedAlpha = 1e-9;
// Of the test at alpha / 2, so that its true size is at most alpha.
constexpr double kLargestInflation = 2;

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
    if (open.expected < kLeastExpected) continue;
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

struct Table {
  std::vector<Cell> cells;
  double degrees;
  PearsonCumulants cumulants;
};

// Which rule of calibration fails, or nothing.
std::string objection(const Table& table, double alpha) {
  const double smallest = smallest_expected(table.cells);
  if (smallest < kLeastExpected)
    return fmt::format("asymptotic: smallest expected count {:.3g}, needs {}",
                       smallest, kLeastExpected);
  const double inflation =
      pearson_inflation(table.cumulants, table.degrees, alpha / 2);
  if (!(inflation <= kLargestInflation))
    return fmt::format(
        "asymptotic: counts this skewed reach alpha / 2 up to {:.2g} times too "
        "often, allowed are {}",
        inflation, kLargestInflation);
  if (alpha < kCalibratedAlpha)
    return fmt::format("asymptotic: calibrated down to alpha = 1e-9 only");
  return {};
}

Diagnostic assess(std::string name, const Table& table, double alpha) {
  Diagnostic result{.name = std::move(name),
                    .statistic = pearson(table.cells),
                    .degrees_of_freedom = table.degrees,
                    .note = objection(table, alpha)};
  result.log10_p = log_chi_square_upper_tail(result.statistic, table.degrees) /
                   std::numbers::ln10;
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

// Categories without any count are left out.
Categories used(const std::vector<double>& margin, double n) {
  Categories categories{0, 0};
  for (const double count : margin) {
    if (count == 0) continue;
    ++categories.number;
    categories.reciprocals += n / count;
  }
  return categories;
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
  Categories shares{static_cast<double>(merged.size()), 0};
  for (const Cell& cell : merged) shares.reciprocals += n / cell.expected;
  Diagnostic result =
      assess("goodness of fit",
             {merged, shares.number - 1, known_cells(n, shares)}, alpha);
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
  require_pooled(groups);
  std::vector<std::uint64_t> counts;
  for (const auto& [drops, n] : groups) {
    counts.push_back(drops);
    counts.push_back(n - drops);
  }
  if (groups.empty()) counts = {0, 0};
  Diagnostic result = independence_chi_square(counts, 2, alpha);
  result.name = "homogeneity";
  return result;
}

Diagnostic independence_chi_square(const TwoByTwo& table, double alpha) {
  const std::uint64_t counts[] = {table.dropped_dropped, table.dropped_kept,
                                  table.kept_dropped, table.kept_kept};
  return independence_chi_square(counts, 2, alpha);
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
  const Categories across = used(margins.rows, n);
  const Categories down = used(margins.columns, n);
  if (across.number < 2 || down.number < 2)
    return nothing_to_test("independence", "fewer than two rows or columns");
  Table table{{},
              (across.number - 1) * (down.number - 1),
              given_margins(n, across, down)};
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const double expected =
        margins.rows[i / columns] * margins.columns[i % columns] / n;
    if (expected > 0) table.cells.push_back({as_double(counts[i]), expected});
  }
  return assess("independence", table, alpha);
}

}  // namespace dropcheck::stats
