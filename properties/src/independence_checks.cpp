// independence_within and independence_calls (STATISTICS 2.b F1, F6).
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "calibration_rows.hpp"
#include "check_definition.hpp"
#include "claim_parts.hpp"
#include "detection.hpp"
#include "dropcheck/stats/correlation.hpp"
#include "dropcheck/stats/granularity.hpp"
#include "mask_picture.hpp"
#include "mask_sample.hpp"
#include "overlap.hpp"
#include "pattern_causes.hpp"
#include "structure_evidence.hpp"

namespace dropcheck::properties {
namespace {

double log_pair_e_value(const PairCounts& pairs, double p0) {
  const stats::CorrelationTest test({p0, static_cast<double>(pairs.pairs)});
  return test.log_e_value({pairs.after_keep(), pairs.after_drop()}, kAnyRate);
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

static Finding check_independence_within(const StatisticalInput& input) {
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
    add_cause(finding, [&] {
      return cause_of_pattern(sample_masks(context),
                              static_cast<std::int64_t>(lags[evidence.worst]),
                              worst);
    });
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

/// How far the stream advances from call to call.
std::optional<std::string> advance_words(const Overlap& overlap,
                                         const StatisticalInput& input) {
  const std::int64_t units = input.sampler.units().units();
  const auto calls =
      static_cast<std::int64_t>(overlap.later_call - overlap.earlier_call);
  const std::int64_t moved = overlap.earlier_position - overlap.later_position;
  if (moved <= 0 || moved >= units) return std::nullopt;
  const std::string how_far =
      calls == 1 ? "one call" : fmt::format("{} calls", calls);
  return fmt::format("the stream advances by {} decisions in {} that use{} {}",
                     moved, how_far, calls == 1 ? "s" : "", units * calls);
}

}  // namespace

static Finding check_independence_calls(const StatisticalInput& input) {
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
    add_cause(finding, [&]() -> std::optional<std::string> {
      const bool moved = search.found && search.found->earlier_position !=
                                             search.found->later_position;
      if (moved) return advance_words(*search.found, input);
      if (plan.flat) return std::nullopt;
      return cause_of_calls(sample_masks(context));
    });
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
            margin_bound(
                context,
                fmt::format("after a drop and after a keep, {} to {} {} later,",
                            lags.front(), lags.back(),
                            plan.flat ? "decisions" : "calls")) +
                none);
  } else {
    leave_open(finding, "too few drops or keeps to bound every lag");
  }
  return finding;
}

namespace {

std::string_view one_decision(const impl::Law& law) {
  return law.unit == impl::Unit::kTensor ? "one decision a call" : "";
}

void plan_independence(const PlannedConfiguration& planned, const Settings&,
                       double threshold, PlannedCheck& check) {
  const auto n = static_cast<double>(planned.structure_n);
  check.detectable_effect =
      two_digits(detectable_z(threshold + std::log(100), mixture_overhead(n)) /
                 std::sqrt(n));
  check.detectable = fmt::format("a correlation of {:.2g} at any one lag",
                                 check.detectable_effect);
}

}  // namespace

constinit const CheckDefinition independence_within_check{
    .info =
        {"independence_within", Evidence::kStatistical,
         "units of one call do not depend on each other",
         "Context e-values: the drop rate after a drop and after a keep, at "
         "lags 1 to 64, every stride of the unit grid and its neighbours, and "
         "powers of two, half and a quarter of a call. Valid for any rate.",
         kByEValue, "faulty:lanes_of_4"},
    .from_battery = check_independence_within,
    .structural = true,
    .not_applicable = one_decision,
    .plan = plan_independence};

constinit const CheckDefinition independence_calls_check{
    .info = {"independence_calls", Evidence::kStatistical,
             "calls do not repeat, overlap or depend on each other",
             "Context e-values for the same unit 1 to 8 (16, 32, ...) calls "
             "later, and a search for a run of decisions that returns in a "
             "later call at any shift; its length is chosen so that chance "
             "stays below the claim's share.",
             kByEValue, "faulty:same_mask_every_call"},
    .from_battery = check_independence_calls,
    .structural = true,
    .plan = plan_independence};

}  // namespace dropcheck::properties
