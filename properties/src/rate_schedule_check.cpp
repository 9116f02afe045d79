// Whether every block drops at the rate that the schedule promises it.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "detection.hpp"
#include "dropcheck/properties/number_text.hpp"
#include "dropcheck/stats/beta_binomial.hpp"
#include "dropcheck/stats/binomial_tail.hpp"
#include "dropcheck/stats/confidence.hpp"
#include "network_claims.hpp"
#include "rate_words.hpp"
#include "schedule_words.hpp"
#include "structure_evidence.hpp"

namespace dropcheck::properties {
namespace {

/// What a network in f32 can realise.
stats::Interval declared(double rate) {
  const double unit = std::ldexp(1.0, -24);
  return {std::max(0.0, rate - unit), std::min(1.0, rate + unit)};
}

/// ln of the likelihood ratio of a named schedule to the likeliest declared
/// rates, over all blocks.
double log_likelihood_ratio(const NetworkEvidence& evidence,
                            const NamedSchedule& named) {
  const auto log_likelihood = [](const stats::Counts& counts, double rate) {
    const auto drops = static_cast<double>(counts.drops);
    const auto keeps = static_cast<double>(counts.n - counts.drops);
    return (drops > 0 ? drops * std::log(rate) : 0) +
           (keeps > 0 ? keeps * std::log1p(-rate) : 0);
  };
  double sum = 0;
  for (int block = 0; block < evidence.law().blocks; ++block) {
    const stats::Counts counts = evidence.block_counts(block);
    const stats::Interval range = declared(evidence.block_rate(block));
    const double null = std::clamp(rate_of(counts), range.lower, range.upper);
    const double other = named.rates[static_cast<std::size_t>(block)];
    sum += log_likelihood(counts, other) - log_likelihood(counts, null);
  }
  return std::isnan(sum) ? -1e300 : std::max(sum, -1e300);
}

struct ScheduleEvidence {
  std::vector<double> promised;  ///< by block
  std::vector<double> blocks;    ///< log e-values
  std::vector<double> taps;
  double log_e = 0;
};

/// A third each: all blocks and one branch (pooled), one block, and the
/// schedules that are known mistakes.
ScheduleEvidence schedule_evidence(const NetworkEvidence& evidence,
                                   double rate) {
  ScheduleEvidence result;
  for (int block = 0; block < evidence.law().blocks; ++block) {
    const double promised = evidence.block_rate(block);
    result.promised.push_back(promised);
    result.blocks.push_back(log_e_outside(evidence.block_counts(block),
                                          promised, {declared(promised)}));
  }
  for (std::size_t tap = 0; tap < evidence.taps(); ++tap) {
    const double promised = evidence.plan.rates[tap];
    result.taps.push_back(log_e_outside(evidence.tally.taps[tap].rate, promised,
                                        {declared(promised)}));
  }
  std::vector<double> named;
  for (const NamedSchedule& one : named_schedules(rate, result.promised)) {
    named.push_back(log_likelihood_ratio(evidence, one));
  }
  result.log_e =
      log_mean({pooled_log_e(result.blocks), pooled_log_e(result.taps),
                named.empty() ? 0 : log_mean(named)});
  return result;
}

/// Intervals that all hold at once but for a chance of exp(-level).
std::vector<stats::Interval> block_intervals(const NetworkEvidence& evidence,
                                             double level) {
  std::vector<stats::Counts> counts;
  std::vector<stats::BetaPrior> priors;
  for (int block = 0; block < evidence.law().blocks; ++block) {
    counts.push_back(evidence.block_counts(block));
    priors.push_back(promised_prior(evidence.block_rate(block),
                                    static_cast<double>(counts.back().n)));
  }
  return stats::simultaneous_rates(counts, priors, level);
}

/// A branch that never drops while the blocks do.
std::optional<std::string> idle_branch(const NetworkEvidence& evidence) {
  const std::size_t branches = evidence.law().branches.size();
  std::vector<stats::Counts> counts(branches);
  for (std::size_t tap = 0; tap < evidence.taps(); ++tap) {
    counts[tap % branches] += evidence.tally.taps[tap].rate;
  }
  std::optional<std::string> words;
  for (std::size_t branch = 0; branch < branches; ++branch) {
    if (counts[branch].drops > 0) continue;
    if (words) return std::nullopt;  // No branch drops: no news of this one.
    words = fmt::format("the {} branch never drops",
                        evidence.law().branches[branch]);
  }
  return branches > 1 ? words : std::nullopt;
}

std::string sentence(const NetworkEvidence& evidence,
                     const ScheduleEvidence& schedule, double rate, int block,
                     std::span<const stats::Interval> intervals) {
  const auto index = static_cast<std::size_t>(block);
  const stats::Counts counts = evidence.block_counts(block);
  std::string text = fmt::format(
      "{} {}, the {} says {:.3g}", evidence.block_name(block),
      counts.drops == 0
          ? "never drops"
          : "drops at " + rate_text(rate_of(counts), intervals[index]),
      evidence.law().schedule == impl::Schedule::kLinear ? "linear schedule"
                                                         : "law",
      schedule.promised[index]);
  auto cause = idle_branch(evidence);
  if (!cause) cause = cause_of_schedule(rate, schedule.promised, intervals);
  return cause ? text + ": " + *cause : text;
}

void show_block(Finding& finding, const NetworkEvidence& evidence, int block,
                const stats::Interval& interval) {
  const stats::Counts counts = evidence.block_counts(block);
  finding.quantity = "drop rate of " + evidence.block_name(block);
  finding.expected = evidence.block_rate(block);
  finding.observed = rate_of(counts);
  finding.interval_lower = interval.lower;
  finding.interval_upper = interval.upper;
  if (!(*finding.expected > 0 && *finding.expected < 1)) return;
  DiagnosticRow row;
  row.name = "exact binomial, " + evidence.block_name(block);
  row.statistic = *finding.observed;
  row.log10_p =
      stats::log_two_sided_p(counts.drops, counts.n, *finding.expected) /
      std::log(10.0);
  row.valid_at_level = true;
  row.note = "the block that deviates most";
  finding.diagnostics.push_back(row);
}

/// The largest distance of an interval from its promise.
double furthest(std::span<const stats::Interval> intervals,
                std::span<const double> promised) {
  double distance = 0;
  for (std::size_t i = 0; i < promised.size(); ++i) {
    distance = std::max({distance, intervals[i].upper - promised[i],
                         promised[i] - intervals[i].lower});
  }
  return distance;
}

Finding check_rate_schedule(const Context& context) {
  Finding finding = start_network_finding(context, "rate_schedule");
  const NetworkEvidence& evidence = *context.network;
  if (undecidable(finding, evidence)) return finding;
  const double rate = context.p0();
  const ScheduleEvidence schedule = schedule_evidence(evidence, rate);
  const double level = -std::log(context.settings.alpha);
  const auto intervals = block_intervals(evidence, level);
  const auto worst = static_cast<int>(largest_index(schedule.blocks));
  show_block(finding, evidence, worst,
             intervals[static_cast<std::size_t>(worst)]);
  if (refute_by_e_value(finding, context, schedule.log_e,
                        sentence(evidence, schedule, rate, worst, intervals))) {
    return finding;
  }
  const double distance = furthest(intervals, schedule.promised);
  if (distance <= context.plan.delta) {
    certify(finding,
            evidence.law().blocks == 1
                ? "drops at the rate that is asked for"
                : "every block drops at the rate of the schedule",
            fmt::format(
                "given independent decisions, the drop rate of each of {} "
                "block{} lies within {:.2g} of the schedule's; wrong with "
                "probability at most {}",
                evidence.law().blocks, evidence.law().blocks == 1 ? "" : "s",
                context.plan.delta, number_text(context.settings.alpha)));
  } else {
    leave_open(
        finding,
        fmt::format(
            "the rate of a block is known within {:.2g} of the schedule only",
            distance));
  }
  return finding;
}

void plan_rate_schedule(const PlannedConfiguration& planned, const Settings&,
                        double threshold, PlannedCheck& check) {
  const NetworkPlan plan = make_network_plan(planned);
  check.expected_n = check.worst_n =
      plan.tap_n() * static_cast<double>(plan.rates.size());
  check.shares_masks = true;
  // A third, a half and a share of the blocks: ln(6 * blocks) more.
  const double needed = threshold + std::log(6.0 * plan.law.blocks);
  const double p = planned.config.drop_probability;
  check.detectable_effect =
      two_digits(detectable_z(needed, mixture_overhead(plan.block_n())) *
                 std::sqrt(p * (1 - p) / plan.block_n()));
  check.detectable = fmt::format("a last block whose rate is off by {:.2g}",
                                 check.detectable_effect);
}

}  // namespace

constinit const CheckDefinition rate_schedule_check{
    .info = {"rate_schedule", Evidence::kStatistical,
             "every block drops at the rate that the schedule promises",
             "Per block, and per branch, the martingale of drop_rate around "
             "the promised rate. The e-value is the mean of three: all blocks "
             "pooled, all branches pooled, and the likelihood ratios of the "
             "schedules that are known mistakes (constant, never rising, off "
             "by one, falling). Certified if simultaneous confidence sequences "
             "hold every block within the tolerance that the sample affords.",
             kByEValue, "faulty:vit_block_counter_stuck"},
    .from_calls = check_rate_schedule,
    .reads_masks = false,
    .of_networks = true,
    .plan = plan_rate_schedule};

}  // namespace dropcheck::properties
