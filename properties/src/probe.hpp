#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "black_box.hpp"
#include "dropcheck/stats/betting.hpp"
#include "unit_reading.hpp"
#include "value_reading.hpp"

namespace dropcheck::properties {

/// What calls on one input of one shape tell.
struct Probe {
  Responses responses;
  /// What evaluation returns, where it has the shape of the results.
  std::optional<std::vector<double>> evaluation;
  ValueReading values;
  UnitReading units;  ///< where there are drops
  /// Each call came after a reseed, because calls repeat their masks.
  bool by_seeds = false;
  std::string repetition;  ///< in words, where `by_seeds`

  bool has_mask() const { return holds_mask(values.kind); }
};

/// Calls until values and units are known, up to a bound. Throws what the
/// layer throws.
Probe take_probe(BlackBox& box, const impl::Shape& shape,
                 double log_inverse_eps);

/// Drops among decisions of calls that no probe has read.
struct RateReading {
  stats::Counts counts;
  impl::Shape input;
  /// Places of a unit that disagreed at a larger shape: units depend on sizes.
  std::uint64_t torn = 0;
  /// Dropped fraction of each call, and its variance against that of
  /// independent units.
  stats::BettingMean fractions;
  double dispersion = 1;
  /// More or less than chance gives.
  bool disperse = false;
};
RateReading measure_rate(BlackBox& box, const Probe& probe, bool keep_shape);

}  // namespace dropcheck::properties
