// Checks of the mask's structure: unit_counts, homogeneity,
// independence_within, independence_calls (STATISTICS 2.b). Their null is
// "independent units of one rate", whatever the rate: a wrong rate is the
// business of drop_rate.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "calibration_rows.hpp"
#include "dropcheck/properties/number_text.hpp"
#include "dropcheck/stats/beta_binomial.hpp"
#include "dropcheck/stats/chi_square.hpp"
#include "dropcheck/stats/context.hpp"
#include "dropcheck/stats/dirichlet_multinomial.hpp"
#include "dropcheck/stats/granularity.hpp"
#include "dropcheck/stats/homogeneity.hpp"
#include "mask_picture.hpp"
#include "overlap.hpp"
#include "row_counts.hpp"
#include "statistical_checks.hpp"

namespace dropcheck::properties {
namespace {

constexpr stats::Interval kAnyRate{0, 1};

double rate_of(const stats::Counts& counts) {
  return counts.n == 0 ? 0
                       : static_cast<double>(counts.drops) /
                             static_cast<double>(counts.n);
}

DiagnosticRow row_of(const stats::Diagnostic& test) {
  return {test.name,    test.statistic,      test.degrees_of_freedom,
          test.log10_p, test.valid_at_level, test.note};
}

/// ln of the mean of e-values.
double log_mean(const std::vector<double>& logs) {
  const double largest = *std::max_element(logs.begin(), logs.end());
  if (!std::isfinite(largest)) return largest;
  double sum = 0;
  for (const double log : logs) sum += std::exp(log - largest);
  return largest + std::log(sum / static_cast<double>(logs.size()));
}

std::size_t largest_index(const std::vector<double>& logs) {
  return static_cast<std::size_t>(std::max_element(logs.begin(), logs.end()) -
                                  logs.begin());
}

double log_pair_e_value(const PairCounts& pairs, double p0) {
  const std::array<stats::Counts, 2> contexts{pairs.after_drop(),
                                              pairs.after_keep()};
  const auto n = static_cast<double>(pairs.pairs);
  const auto prior = [&](double share) {
    return stats::prior_around(p0,
                               std::max(1.0, stats::context_kappa(n * share)));
  };
  const std::array<stats::BetaPrior, 2> priors{prior(p0), prior(1 - p0)};
  return stats::log_context_e_value(contexts, priors, kAnyRate);
}

/// Whether the rate of a context provably lies within the margin of the
/// overall rate.
bool within_margin(const stats::Counts& counts, double overall,
                   const Context& context) {
  if (counts.n == 0) return false;
  const double p0 = context.p0();
  const double margin = context.plan.margin;
  const stats::Interval interval = stats::confidence_sequence(
      counts, stats::prior_around(p0, stats::recommended_kappa(p0, margin)),
      -std::log(context.settings.alpha));
  return interval.lower >= overall - margin &&
         interval.upper <= overall + margin;
}

struct LagEvidence {
  std::vector<double> log_e;
  std::size_t worst = 0;
  bool certified = true;
};

LagEvidence lag_evidence(const std::vector<PairCounts>& lags,
                         const Context& context, double overall) {
  LagEvidence evidence;
  for (const PairCounts& pairs : lags) {
    evidence.log_e.push_back(log_pair_e_value(pairs, context.p0()));
    evidence.certified = evidence.certified &&
                         within_margin(pairs.after_drop(), overall, context) &&
                         within_margin(pairs.after_keep(), overall, context);
  }
  evidence.worst = largest_index(evidence.log_e);
  return evidence;
}

std::string dependence_words(const PairCounts& pairs) {
  const double after_drop = rate_of(pairs.after_drop());
  const double after_keep = rate_of(pairs.after_keep());
  if (after_drop > 0.9999 && after_keep < 1e-4) return "always agree";
  if (after_drop < 1e-4 && after_keep > 0.9999) return "never agree";
  return fmt::format(
      "are dependent: a unit is dropped with probability {:.5g} "
      "after a drop and {:.5g} after a keep",
      after_drop, after_keep);
}

DiagnosticRow pair_row(const PairCounts& pairs, const std::string& what,
                       double alpha) {
  stats::TwoByTwo table;
  table.dropped_dropped = pairs.both;
  table.dropped_kept = pairs.earlier - pairs.both;
  table.kept_dropped = pairs.later - pairs.both;
  table.kept_kept = pairs.pairs - pairs.earlier - pairs.later + pairs.both;
  DiagnosticRow row = row_of(stats::independence_chi_square(table, alpha));
  row.name = fmt::format("{}, {}", row.name, what);
  return row;
}

void note_structure(Finding& finding, const StatisticalInput& input) {
  const Tally& tally = input.battery.structure;
  finding.n = tally.structure_rate.n;
  finding.calls = tally.calls;
}

/// Not enough blocks were drawn: the run was interrupted.
bool incomplete(Finding& finding, const StatisticalInput& input) {
  if (input.battery.structure_complete) return false;
  finding.verdict = Verdict::kNotRun;
  finding.sentence = "the planned number of calls was not drawn";
  return true;
}

std::string margin_bound(const Context& context, const std::string& where) {
  return fmt::format(
      "the drop rate {} lies within {} of the overall rate; each such "
      "statement is wrong with probability at most {}",
      where, number_text(context.plan.margin),
      number_text(context.settings.alpha));
}

}  // namespace

Finding check_unit_counts(const StatisticalInput& input) {
  const Context& context = input.context;
  Finding finding = start_finding(context, "unit_counts");
  if (incomplete(finding, input)) return finding;
  note_structure(finding, input);
  const Tally& tally = input.battery.structure;
  const double p0 = context.p0();
  const std::uint64_t row_bits = tally.structure_rate.n / tally.structure_rows;
  const std::vector<double> logs{
      stats::log_group_count_e_value(tally.groups, p0, 64, kAnyRate),
      log_row_count_e_value(tally.drops_per_row, row_bits, p0)};
  finding.diagnostics.push_back(row_of(
      stats::binomial_group_fit(tally.groups, p0, context.settings.alpha)));
  double mean = 0;
  double square = 0;
  double groups = 0;
  for (std::size_t j = 0; j < tally.groups.size(); ++j) {
    const auto count = static_cast<double>(tally.groups[j]);
    const auto drops = static_cast<double>(j);
    groups += count;
    mean += count * drops;
    square += count * drops * drops;
  }
  mean /= groups;
  const double rate = mean / Tally::kGroup;
  const double due = Tally::kGroup * rate * (1 - rate);
  const double seen = square / groups - mean * mean;
  finding.quantity = "variance of drops per 64 units / binomial";
  finding.expected = 1;
  finding.observed = due > 0 ? seen / due : 1;
  const bool rows = logs[1] > logs[0];
  const std::string sentence =
      rows ? "the number of drops per call does not follow the binomial law: "
             "the count is fixed, or every call has a rate of its own"
           : fmt::format(
                 "the number of drops per 64 units has {:.4g} times the "
                 "variance of the binomial law: units are {}",
                 *finding.observed,
                 *finding.observed < 1 ? "dropped to a quota"
                                       : "dropped in company");
  if (refute_by_e_value(finding, context, log_mean(logs), sentence)) {
    finding.picture = structure_picture(input, rows);
    return finding;
  }
  certify(finding, "drops per group follow the binomial law",
          "no over- or underdispersion of the stated size; " +
              context.planned("unit_counts")->detectable);
  return finding;
}

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

std::vector<PositionClasses> position_classes(const Tally& tally,
                                              const impl::Shape& units) {
  std::vector<PositionClasses> all;
  const std::size_t positions = tally.positions.size();
  if (positions > 1) all.push_back(by_position(tally));
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
      "the drop rate depends on the place: {} drops at {:.5g}{}, "
      "all together at {:.5g}",
      classes.name == kPosition
          ? "unit " + place_of(static_cast<std::int64_t>(worst), units)
          : fmt::format(fmt::runtime(classes.name), worst),
      seen, seen == 0 ? " (never)" : "", rate);
}

}  // namespace

namespace {

impl::Shape unit_grid(const Context& context) {
  return impl::unit_shape(context.law(), context.config(),
                          context.inputs.base.shape());
}

}  // namespace

Finding check_homogeneity(const StatisticalInput& input) {
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
  if (refute_by_e_value(
          finding, context, log_mean(logs),
          odd_class(classes[largest_index(logs)], unit_grid(context)))) {
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
    certify(finding, "segments, lanes and parts in time have one drop rate",
            margin_bound(context,
                         "in each of 16 segments, 16 lanes and 16 "
                         "parts in time"));
  } else {
    leave_open(finding, fmt::format("not every part is known to be within {:g} "
                                    "of the overall rate",
                                    context.plan.margin));
  }
  return finding;
}

namespace {

/// Lags that stay inside a call, or those that do not (flat rows).
std::vector<PairCounts> select_lags(const StatisticalInput& input, bool inside,
                                    std::vector<std::size_t>& lags) {
  const StructurePlan& plan = input.sampler.structure();
  std::vector<PairCounts> pairs;
  for (std::size_t j = 0; j < plan.lags.size(); ++j) {
    const bool stays =
        !plan.flat || static_cast<std::int64_t>(plan.lags[j]) < plan.units;
    if (stays != inside) continue;
    lags.push_back(plan.lags[j]);
    pairs.push_back(input.battery.structure.lags[j]);
  }
  return pairs;
}

void show_pair(Finding& finding, const PairCounts& pairs) {
  finding.quantity = "drop rate after a drop";
  finding.expected = rate_of({pairs.later, pairs.pairs});
  finding.observed = rate_of(pairs.after_drop());
}

}  // namespace

Finding check_independence_within(const StatisticalInput& input) {
  const Context& context = input.context;
  Finding finding = start_finding(context, "independence_within");
  if (incomplete(finding, input)) return finding;
  note_structure(finding, input);
  std::vector<std::size_t> lags;
  const std::vector<PairCounts> pairs = select_lags(input, true, lags);
  if (pairs.empty()) {
    finding.verdict = Verdict::kNotSupported;
    finding.sentence = "a call has one unit only: nothing to compare within it";
    return finding;
  }
  const double overall = rate_of(input.battery.structure.structure_rate);
  const LagEvidence evidence = lag_evidence(pairs, context, overall);
  const PairCounts& worst = pairs[evidence.worst];
  show_pair(finding, worst);
  finding.diagnostics.push_back(
      pair_row(worst, fmt::format("lag {}", lags[evidence.worst]),
               context.settings.alpha));
  if (refute_by_e_value(finding, context, log_mean(evidence.log_e),
                        fmt::format("units {} apart {}", lags[evidence.worst],
                                    dependence_words(worst)))) {
    finding.picture = structure_picture(input, false);
    return finding;
  }
  if (evidence.certified) {
    certify(finding, "units of one call do not depend on each other",
            margin_bound(context,
                         fmt::format("after a drop and after a keep, at each "
                                     "of {} lags from {} to {},",
                                     lags.size(), lags.front(), lags.back())));
  } else {
    leave_open(finding, "too few drops or keeps to bound every lag");
  }
  return finding;
}

namespace {

/// The overlap search: at most one finding in alpha * weight of right layers.
struct OverlapSearch {
  std::optional<Overlap> found;
  std::int64_t window = 0;
  std::size_t calls = 0;
  double log_chance = 0;
};

OverlapSearch search_overlap(const StatisticalInput& input) {
  const Context& context = input.context;
  OverlapSearch search;
  std::vector<Row> rows = calibration_rows(input);
  rows.resize(std::min<std::size_t>(rows.size(), 4));
  const std::int64_t bits = input.sampler.units().units();
  const double log_pairs = log_overlap_pairs(rows.size(), bits, 64);
  const double threshold = context.log_threshold("independence_calls");
  // One nat more, because the event has a share of one half of the claim.
  const auto needed = static_cast<std::int64_t>(
      stats::overlap_window_bits(log_pairs, threshold + 1, context.p0()));
  search.window = (needed + 63) / 64 * 64;
  if (rows.size() < 2 || bits < 2 * search.window) return search;
  search.calls = rows.size();
  search.log_chance =
      log_pairs + stats::log_chance_identical(
                      context.p0(), static_cast<std::uint64_t>(search.window));
  search.found = find_overlap(rows, context.p0(), search.window);
  return search;
}

std::string overlap_words(const Overlap& overlap) {
  const auto calls = overlap.later_call - overlap.earlier_call;
  if (overlap.earlier_position == overlap.later_position) {
    return fmt::format(
        "a call repeats the mask of {} before it",
        calls == 1 ? "the call" : fmt::format("{} calls", calls));
  }
  return fmt::format(
      "streams overlap: units from {} on repeat units {} on of {} before, for "
      "at least {} units",
      overlap.later_position, overlap.earlier_position,
      calls == 1 ? "the call" : fmt::format("{} calls", calls), overlap.window);
}

}  // namespace

Finding check_independence_calls(const StatisticalInput& input) {
  const Context& context = input.context;
  Finding finding = start_finding(context, "independence_calls");
  if (incomplete(finding, input)) return finding;
  note_structure(finding, input);
  std::vector<std::size_t> lags;
  std::vector<PairCounts> pairs;
  const StructurePlan& plan = input.sampler.structure();
  if (plan.flat) {
    pairs = select_lags(input, false, lags);
  } else {
    lags = plan.call_lags;
    pairs = input.battery.structure.call_lags;
  }
  const double overall = rate_of(input.battery.structure.structure_rate);
  const LagEvidence evidence = lag_evidence(pairs, context, overall);
  const PairCounts& worst = pairs[evidence.worst];
  show_pair(finding, worst);
  const OverlapSearch search = search_overlap(input);
  const std::string apart =
      plan.flat
          ? fmt::format("decisions {} apart in a sequence of calls",
                        lags[evidence.worst])
          : fmt::format("the same unit {} call{} later", lags[evidence.worst],
                        lags[evidence.worst] == 1 ? "" : "s");
  finding.diagnostics.push_back(pair_row(worst, apart, context.settings.alpha));
  const double lag_e = log_mean(evidence.log_e);
  const double overlap_e = search.found ? -search.log_chance : -1e300;
  std::string sentence = search.found && (overlap_e >= lag_e || overlap_e > 0)
                             ? overlap_words(*search.found)
                         : plan.flat
                             ? apart + " " + dependence_words(worst)
                             : "masks of different calls: " + apart + " " +
                                   (rate_of(worst.after_drop()) > 0.9999
                                        ? "is always decided alike"
                                        : dependence_words(worst));
  if (refute_by_e_value(finding, context, log_mean({lag_e, overlap_e}),
                        sentence)) {
    finding.picture = structure_picture(input, true);
    return finding;
  }
  const std::string none =
      search.calls > 0
          ? fmt::format("; no window of {} decisions returns among {} calls",
                        search.window, search.calls)
          : "";
  if (evidence.certified) {
    certify(finding, "calls do not depend on each other",
            margin_bound(context,
                         fmt::format("after a drop and after a keep, {} to {} "
                                     "{} later,",
                                     lags.front(), lags.back(),
                                     plan.flat ? "decisions" : "calls")) +
                none);
  } else {
    leave_open(finding, "too few drops or keeps to bound every lag");
  }
  return finding;
}

}  // namespace dropcheck::properties
