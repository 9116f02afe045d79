#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "dropcheck/impl/dtype.hpp"
#include "dropcheck/impl/tensor.hpp"

namespace dropcheck::cli {

/// One value from the command line, with the option that it was given to.
struct Argument {
  std::string_view option;  ///< "--p"
  std::string_view text;
};

/// All throw UsageError, a line that names option, value and rule.

/// A probability in [0, 1].
double parse_probability(Argument argument);

/// A number in the open interval (0, 0.5): --alpha, --delta.
double parse_small(Argument argument);

/// Threads: 1 to 4096.
unsigned parse_threads(Argument argument);

/// A number of runs: 1 to 10^9.
std::uint64_t parse_runs(Argument argument);

/// Seed: 0 to 2^64 - 1, decimal or 0x...
std::uint64_t parse_seed(Argument argument);

/// Seconds from "90", "90s", "4m", "1.5h" or "500ms"; above 0, at most a year.
double parse_seconds(Argument argument);

/// The same, or "0" for none.
double parse_limit(Argument argument);

/// A whole number from 0 to a million.
std::size_t parse_count(Argument argument);

/// A shape from "64x256x2x2" or "64,256,2,2": extents of at least 1, at most
/// 8 of them and at most 2^40 elements.
impl::Shape parse_shape(Argument argument);

/// A day of the calendar from "2026-12-31".
std::chrono::year_month_day parse_date(Argument argument);

/// f32, f64, f16 or bf16.
impl::DType parse_dtype(Argument argument);

}  // namespace dropcheck::cli
