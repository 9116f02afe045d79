#pragma once

#include <cstddef>
#include <string_view>

#include "dropcheck/stats/counts.hpp"

namespace dropcheck::stats {

/// Throws std::domain_error "<name> is <value>, but must be <rule>" unless ok.
void require(bool ok, std::string_view name, double value,
             std::string_view rule);

/// Throws std::invalid_argument in the same words, for shapes.
void require_shape(bool ok, std::string_view name, std::size_t value,
                   std::string_view rule);

/// Each is written so that NaN fails.
void require_probability(double value, std::string_view name);
void require_inner_probability(double value, std::string_view name);
void require_positive(double value, std::string_view name);
void require_counts(const Counts& counts);
void require_rates(const Interval& rates, std::string_view name);

}  // namespace dropcheck::stats
