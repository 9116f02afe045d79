#include "require.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <stdexcept>

namespace dropcheck::stats {
namespace {

constexpr std::uint64_t kTooLarge = std::uint64_t{1} << 63;

}  // namespace

void require(bool ok, std::string_view name, double value,
             std::string_view rule) {
  if (ok) return;
  throw std::domain_error(
      fmt::format("{} is {}, but must be {}", name, value, rule));
}

void require_shape(bool ok, std::string_view name, std::size_t value,
                   std::string_view rule) {
  if (ok) return;
  throw std::invalid_argument(
      fmt::format("{} is {}, but must be {}", name, value, rule));
}

void require_probability(double value, std::string_view name) {
  require(value >= 0 && value <= 1, name, value, "in [0, 1]");
}

void require_inner_probability(double value, std::string_view name) {
  require(value > 0 && value < 1, name, value, "in (0, 1)");
}

void require_positive(double value, std::string_view name) {
  const bool finite = value <= std::numeric_limits<double>::max();
  require(value > 0 && finite, name, value, "positive and finite");
}

void require_finite(double value, std::string_view name) {
  require(std::isfinite(value), name, value, "finite");
}

void require_level(double value, std::string_view name) {
  require(value > 0 && value < 0.5, name, value, "in (0, 0.5)");
}

void require_size(std::uint64_t n, std::string_view name) {
  if (n < kTooLarge) return;
  throw std::domain_error(
      fmt::format("{} is {}, but must be below 2^63", name, n));
}

void require_counts(const Counts& counts) {
  require_size(counts.n, "n");
  if (counts.drops <= counts.n) return;
  throw std::domain_error(fmt::format("drops is {}, but must be at most n = {}",
                                      counts.drops, counts.n));
}

Counts require_pooled(std::span<const Counts> groups) {
  Counts all;
  for (const Counts& counts : groups) {
    require_counts(counts);
    all += counts;
    require_size(all.n, "sum of n");
  }
  return all;
}

std::uint64_t require_total(std::span<const std::uint64_t> cells) {
  std::uint64_t sum = 0;
  for (const std::uint64_t count : cells) {
    require_size(count, "count of a cell");
    sum += count;
    require_size(sum, "sum of counts");
  }
  return sum;
}

void require_rates(const Interval& rates, std::string_view name) {
  const bool ordered = rates.lower >= 0 && rates.lower <= rates.upper;
  if (ordered && rates.upper <= 1) return;
  throw std::domain_error(
      fmt::format("{} is [{}, {}], but must be an interval within [0, 1]", name,
                  rates.lower, rates.upper));
}

}  // namespace dropcheck::stats
