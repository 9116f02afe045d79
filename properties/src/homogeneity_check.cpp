#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "check_definition.hpp"
#include "detection.hpp"
#include "dropcheck/properties/number_text.hpp"
#include "dropcheck/stats/homogeneity.hpp"
#include "mask_picture.hpp"
#include "mask_sample.hpp"
#include "place_causes.hpp"
#include "structure_evidence.hpp"

namespace dropcheck::properties {
namespace {

const std::string kPosition = "position {}";

struct PositionClasses {
  std::vector<stats::Counts> groups;
  std::string name;  ///< with {} for the index
};

PositionClasses by_lane(const Tally& tally, std::size_t lanes) {
  PositionClasses classes{std::vector<stats::Counts>(lanes),
                          fmt::format("lane {{}} of {}", lanes)};
  for (std::size_t i = 0; i < tally.positions.size(); ++i) {
    classes.groups[i % lanes] += {tally.positions[i], tally.calls};
  }
  return classes;
}

PositionClasses by_segment(const Tally& tally, std::size_t segments) {
  PositionClasses classes{std::vector<stats::Counts>(segments),
                          fmt::format("segment {{}} of {}", segments)};
  const std::size_t size = tally.positions.size();
  for (std::size_t i = 0; i < size; ++i) {
    classes.groups[i * segments / size] += {tally.positions[i], tally.calls};
  }
  return classes;
}

PositionClasses by_position(const Tally& tally) {
  return {by_lane(tally, tally.positions.size()).groups, kPosition};
}

/// All units with one index along an axis of the unit grid.
PositionClasses by_axis(const Tally& tally, const impl::Shape& units,
                        std::size_t axis) {
  const auto extent = static_cast<std::size_t>(units[axis]);
  const auto stride =
      static_cast<std::size_t>(impl::compact_strides(units)[axis]);
  PositionClasses classes{std::vector<stats::Counts>(extent),
                          fmt::format("index {{}} of axis {}", axis)};
  for (std::size_t i = 0; i < tally.positions.size(); ++i) {
    classes.groups[i / stride % extent] += {tally.positions[i], tally.calls};
  }
  return classes;
}

/// The last size % width units: what a vector loop leaves over.
PositionClasses by_tail(const Tally& tally, std::size_t width) {
  PositionClasses classes{
      std::vector<stats::Counts>(2),
      fmt::format("class {{}} of body and tail of vectors of {}", width)};
  const std::size_t body =
      tally.positions.size() - tally.positions.size() % width;
  for (std::size_t i = 0; i < tally.positions.size(); ++i) {
    classes.groups[i < body ? 0 : 1] += {tally.positions[i], tally.calls};
  }
  return classes;
}

/// Rows in the order drawn: a rate that drifts.
PositionClasses by_time(const Tally& tally, std::size_t segments) {
  PositionClasses classes{std::vector<stats::Counts>(segments),
                          fmt::format("part {{}} of {} in time", segments)};
  const std::size_t rows = tally.drops_per_row.size();
  const std::uint64_t bits = tally.structure_rate.n / rows;
  for (std::size_t i = 0; i < rows; ++i) {
    classes.groups[i * segments / rows] += {tally.drops_per_row[i], bits};
  }
  return classes;
}

/// More of them are not made into classes: that takes four times the memory.
constexpr std::size_t kListedPositions = 4096;

/// All ways to divide the units, but for each by itself if they are many.
std::vector<PositionClasses> position_classes(const Tally& tally,
                                              const impl::Shape& units) {
  std::vector<PositionClasses> all;
  const std::size_t positions = tally.positions.size();
  if (positions > 1 && positions <= kListedPositions) {
    all.push_back(by_position(tally));
  }
  for (std::size_t axis = 0; axis < units.size(); ++axis) {
    const bool new_split =
        units[axis] > 1 && units[axis] < static_cast<std::int64_t>(positions);
    if (new_split) all.push_back(by_axis(tally, units, axis));
  }
  if (positions >= 64) {
    all.push_back(by_segment(tally, 16));
    for (const std::size_t lanes : {2U, 4U, 8U, 16U, 32U, 64U}) {
      all.push_back(by_lane(tally, lanes));
    }
    // Chunks that threads take.
    for (const std::size_t lanes : {256U, 1024U, 4096U}) {
      if (positions >= 4 * lanes) all.push_back(by_lane(tally, lanes));
    }
    for (const std::size_t width : {4U, 8U, 16U, 32U, 64U}) {
      if (positions % width != 0) all.push_back(by_tail(tally, width));
    }
  }
  if (tally.drops_per_row.size() >= 16) all.push_back(by_time(tally, 16));
  return all;
}

std::string odd_class(const PositionClasses& classes,
                      const impl::Shape& units) {
  stats::Counts all;
  for (const stats::Counts& group : classes.groups) all += group;
  const double rate = rate_of(all);
  std::size_t worst = 0;
  double largest = -1;
  for (std::size_t g = 0; g < classes.groups.size(); ++g) {
    const stats::Counts& group = classes.groups[g];
    const double distance = std::abs(rate_of(group) - rate) *
                            std::sqrt(static_cast<double>(group.n));
    if (distance > largest) {
      largest = distance;
      worst = g;
    }
  }
  const double seen = rate_of(classes.groups[worst]);
  return fmt::format(
      "the drop rate depends on the place: {} drops at {:.5g}{}, all together "
      "at {:.5g}",
      classes.name == kPosition
          ? "unit " + place_of(static_cast<std::int64_t>(worst), units)
          : fmt::format(fmt::runtime(classes.name), worst),
      seen, seen == 0 ? " (never)" : "", rate);
}

/// Of places, where they differ at all; else of time.
std::optional<std::string> why(const Tally& tally, const impl::Shape& units) {
  std::vector<stats::Counts> places;
  for (const auto drops : tally.positions) {
    places.push_back({drops, tally.calls});
  }
  if (auto words = cause_of_places(places, units)) return words;
  const PositionClasses parts = by_time(tally, 16);
  return cause_of_drift(parts.groups,
                        static_cast<double>(parts.groups.front().n));
}

}  // namespace

static Finding check_homogeneity(const StatisticalInput& input) {
  const Context& context = input.context;
  Finding finding = start_finding(context, "homogeneity");
  if (incomplete(finding, input)) return finding;
  note_structure(finding, input);
  const Tally& tally = input.battery.structure;
  const auto classes = position_classes(tally, unit_grid(context));
  finding.quantity = "drop rate by place";
  if (classes.empty()) {
    leave_open(finding, "too few rows to compare places");
    finding.picture = structure_picture(input, false);
    return finding;
  }
  std::vector<double> logs;
  for (const PositionClasses& split : classes) {
    logs.push_back(stats::log_homogeneity_e_value(split.groups, context.p0()));
    if (split.groups.size() == 16) {
      finding.diagnostics.push_back(row_of(
          stats::homogeneity_chi_square(split.groups, context.settings.alpha)));
      finding.diagnostics.back().name +=
          fmt::format(", by {}", fmt::format(fmt::runtime(split.name), "i"));
    }
  }
  // The last one where it is there.
  if (tally.positions.size() > kListedPositions) {
    logs.push_back(stats::log_homogeneity_e_value(tally.positions, tally.calls,
                                                  context.p0()));
  }
  const std::size_t odd = largest_index(logs);
  if (refute_by_e_value(finding, context, log_mean(logs), "")) {
    finding.sentence =
        odd_class(odd < classes.size() ? classes[odd] : by_position(tally),
                  unit_grid(context));
    add_cause(finding, [&] { return why(tally, unit_grid(context)); });
    return finding;
  }
  const double overall = rate_of(tally.structure_rate);
  bool certified = true;
  for (const PositionClasses& split : classes) {
    if (split.groups.size() != 16) continue;
    for (const stats::Counts& group : split.groups) {
      certified = certified && within_margin(group, overall, context);
    }
  }
  if (certified) {
    certify(
        finding, "segments, lanes and parts in time have one drop rate",
        margin_bound(context,
                     "in each of 16 segments, 16 lanes and 16 parts in time"));
  } else {
    leave_open(
        finding,
        fmt::format(
            "not every part is known to be within {:g} of the overall rate",
            context.plan.margin));
  }
  return finding;
}

namespace {

void plan_homogeneity(const PlannedConfiguration& planned, const Settings&,
                      double threshold, PlannedCheck& check) {
  const double p = planned.rate;
  const auto n = static_cast<double>(planned.structure_n);
  check.detectable_effect =
      two_digits(detectable_z(threshold + 2, mixture_overhead(n) + kSegments) *
                 std::sqrt(p * (1 - p) * kSegments / n));
  check.detectable = fmt::format("a rate off by {:.2g} in one of 16 segments",
                                 check.detectable_effect);
}

}  // namespace

constinit const CheckDefinition homogeneity_check{
    .info =
        {"homogeneity", Evidence::kStatistical,
         "segments, lanes, rows, columns and parts in time have one drop rate",
         "Universal inference with unknown rate over all positions, each axis, "
         "lanes of 2 to 64 and of 256, 1024 and 4096, what vectors of 4 to 64 "
         "leave over, 16 segments and 16 parts in time. One dead position "
         "among 65,000 takes about 370 calls at p = 0.1: pr makes fewer, p = "
         "0.3 is enough. Certified if the rate of each segment, lane and part "
         "in time provably lies within the margin of the overall rate.",
         kByEValue, "faulty:vector_tail_never_dropped"},
    .from_battery = check_homogeneity,
    .structural = true,
    .plan = plan_homogeneity};

}  // namespace dropcheck::properties
