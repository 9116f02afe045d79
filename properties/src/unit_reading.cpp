#include "unit_reading.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>

#include "dropcheck/stats/beta_binomial.hpp"
#include "dropcheck/stats/granularity.hpp"

namespace dropcheck::properties {
namespace {

using Masks = std::vector<std::vector<std::uint64_t>>;

std::uint64_t drops_at(const Masks& masks, std::int64_t place) {
  std::uint64_t drops = 0;
  for (const auto& mask : masks) {
    drops += (mask[static_cast<std::size_t>(place / 64)] >> (place % 64)) & 1U;
  }
  return drops;
}

/// Takes places that never changed out of the partition, and counts the rest.
void sort_places(UnitReading& reading, const Masks& masks) {
  auto& representative = reading.partition.representative;
  std::vector<bool> fixed(representative.size());
  for (std::size_t i = 0; i < representative.size(); ++i) {
    const auto place = static_cast<std::int64_t>(i);
    const auto first = static_cast<std::size_t>(representative[i]);
    if (first == i) {
      const std::uint64_t drops = drops_at(masks, place);
      fixed[i] = drops == 0 || drops == masks.size();
      if (!fixed[i]) {
        ++reading.units;
        reading.counts += {drops, masks.size()};
      }
    }
    if (fixed[first]) ++reading.fixed;
  }
  for (std::int64_t& first : representative) {
    if (fixed[static_cast<std::size_t>(first)]) first = -1;
  }
}

/// The end of the interval at which agreement by chance is likeliest.
double least_favourable(const stats::Interval& interval) {
  const bool low = 0.5 - interval.lower > interval.upper - 0.5;
  return std::clamp(low ? interval.lower : interval.upper, 1e-12, 1 - 1e-12);
}

/// Pairs of equal masks, against what independent calls would give.
void count_repeats(UnitReading& reading, const Masks& masks) {
  const double p = static_cast<double>(reading.counts.drops) /
                   static_cast<double>(reading.counts.n);
  const auto [distinct, pairs] = count_repetition(masks);
  reading.distinct = distinct;
  const auto calls = static_cast<double>(masks.size());
  const double due = calls * (calls - 1) / 2 *
                     std::exp(stats::log_chance_identical(
                         p, static_cast<std::uint64_t>(reading.units)));
  reading.repeats = pairs > 10 + 1.5 * due;
}

}  // namespace

UnitReading read_units(const std::vector<std::vector<std::uint64_t>>& masks,
                       const impl::Shape& shape, double log_inverse_eps) {
  UnitReading reading;
  const std::int64_t places = impl::element_count(shape);
  reading.partition = infer_partition(masks, places);
  sort_places(reading, masks);
  if (reading.units == 0) return reading;
  const double p =
      least_favourable(rate_interval_of(reading.counts, log_inverse_eps));
  count_repeats(reading, masks);
  const std::uint64_t effective =
      reading.repeats ? reading.distinct : masks.size();
  const double log_pairs =
      2 * std::log(static_cast<double>(places)) - std::numbers::ln2;
  const double log_joined =
      log_pairs + stats::log_chance_identical(p, effective);
  const double log_fixed =
      std::log(static_cast<double>(places)) +
      static_cast<double>(effective) * std::log(std::max(p, 1 - p));
  reading.proved = log_joined <= -log_inverse_eps &&
                   (reading.fixed == 0 || log_fixed <= -log_inverse_eps);
  return reading;
}

void read_across_zeros(UnitReading& reading,
                       const std::vector<std::int64_t>& places,
                       const impl::Shape& shape) {
  if (places.empty()) return;
  const std::vector<Sharing> sharing = axis_sharing(reading.partition, shape);
  const impl::Shape strides = impl::compact_strides(shape);
  // Places of one unit agree in their coordinates on the other axes.
  const auto unit = [&](std::int64_t place) {
    std::int64_t index = 0;
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
      if (sharing[axis] == Sharing::kShared) continue;
      index += place / strides[axis] % shape[axis] * strides[axis];
    }
    return index;
  };
  auto& representative = reading.partition.representative;
  std::map<std::int64_t, std::int64_t> known;
  for (std::int64_t i = 0; i < std::ssize(representative); ++i) {
    const std::int64_t first = representative[static_cast<std::size_t>(i)];
    if (first < 0) continue;
    if (known.try_emplace(unit(i), first).first->second != first) return;
  }
  for (const std::int64_t place : places) {
    auto& first = representative[static_cast<std::size_t>(place)];
    const auto found = known.find(unit(place));
    if (first >= 0 || found == known.end()) continue;
    first = found->second;
    ++reading.unreadable;
    --reading.fixed;
  }
}

stats::Interval rate_interval_of(const stats::Counts& counts,
                                 double log_inverse_eps) {
  return stats::confidence_sequence(counts, {0.5, 0.5}, log_inverse_eps);
}

}  // namespace dropcheck::properties
