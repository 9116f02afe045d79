#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
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
void require_finite(double value, std::string_view name);
/// An error probability: in (0, 0.5).
void require_level(double value, std::string_view name);
/// A number of decisions: below 2^63.
void require_size(std::uint64_t n, std::string_view name);
/// drops <= n < 2^63.
void require_counts(const Counts& counts);
void require_rates(const Interval& rates, std::string_view name);

/// The sum of valid counts; throws std::domain_error unless it is valid too.
Counts require_pooled(std::span<const Counts> groups);
/// The sum of cells; throws std::domain_error unless it is below 2^63.
std::uint64_t require_total(std::span<const std::uint64_t> cells);

}  // namespace dropcheck::stats
