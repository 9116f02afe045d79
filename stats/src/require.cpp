#include "require.hpp"

#include <fmt/format.h>

#include <limits>
#include <stdexcept>

namespace dropcheck::stats {

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

void require_counts(const Counts& counts) {
  if (counts.drops <= counts.n) return;
  throw std::domain_error(fmt::format("drops is {}, but must be at most n = {}",
                                      counts.drops, counts.n));
}

void require_rates(const Interval& rates, std::string_view name) {
  const bool ordered = rates.lower >= 0 && rates.lower <= rates.upper;
  if (ordered && rates.upper <= 1) return;
  throw std::domain_error(
      fmt::format("{} is [{}, {}], but must be an interval within [0, 1]", name,
                  rates.lower, rates.upper));
}

}  // namespace dropcheck::stats
