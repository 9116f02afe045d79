#pragma once

#include <cstdint>
#include <span>

namespace dropcheck::properties {

/// ln of an e-value of the numbers of drops per row of `row_bits` units,
/// against rows of a fixed count and rows with a rate of their own.
///
/// Law     the counts fall into at most 16 cells between quantiles of
///         Binomial(row_bits, p0). Dirichlet mixture around the cells at p0,
///         over the largest likelihood of any one rate: an e-value whatever
///         the rate is (STATISTICS 2.b F2, universal inference).
/// Values  0 for fewer than two rows.
double log_row_count_e_value(std::span<const std::uint32_t> drops,
                             std::uint64_t row_bits, double p0);

}  // namespace dropcheck::properties
