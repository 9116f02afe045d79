#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dropcheck/stats/counts.hpp"
#include "granularity.hpp"

namespace dropcheck::properties {

/// Which places share a decision, read from drop bits without any law.
struct UnitReading {
  Partition partition;  ///< -1: decided alike in every call

  std::int64_t units = 0;       ///< that were told apart
  std::int64_t fixed = 0;       ///< places decided alike in every call
  std::int64_t unreadable = 0;  ///< places put into units by their axes alone
  std::size_t distinct = 0;     ///< masks that are not equal
  bool repeats = false;         ///< far fewer than independent calls would give
  stats::Counts counts;         ///< one place a unit
  /// What was read is due to chance with at most the probability asked for.
  /// False: more calls may tell.
  bool proved = false;
};

/// `masks`: drop bits of calls, one after the other. Agreement of two places in
/// all of them counts as sharing once chance is excluded up to exp(-A), A =
/// log_inverse_eps, at the least favourable drop probability of a confidence
/// interval. Where calls repeat masks, only the distinct ones count.
UnitReading read_units(const std::vector<std::vector<std::uint64_t>>& masks,
                       const impl::Shape& shape, double log_inverse_eps);

/// Puts places that show no decision, because their kept value is the dropped
/// one, into the units that the others form along axes. Does nothing where
/// those are no matter of axes.
void read_across_zeros(UnitReading& reading,
                       const std::vector<std::int64_t>& places,
                       const impl::Shape& shape);

/// A confidence sequence for a rate of which nothing is known before.
stats::Interval rate_interval_of(const stats::Counts& counts,
                                 double log_inverse_eps);

}  // namespace dropcheck::properties
