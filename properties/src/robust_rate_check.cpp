// drop_rate_robust: the drop rate from whole calls alone (STATISTICS 2.0). It
// assumes nothing of the units of a call.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "check_definition.hpp"
#include "context.hpp"
#include "detection.hpp"
#include "dropcheck/properties/number_text.hpp"
#include "dropcheck/stats/robust_rate.hpp"
#include "dropcheck/stats/run_alarm.hpp"
#include "mask_kernels.hpp"
#include "mask_sample.hpp"
#include "mask_stream.hpp"
#include "own_draws.hpp"
#include "pattern_causes.hpp"
#include "rate_words.hpp"
#include "shapes.hpp"

namespace dropcheck::properties {
namespace {

/// Calls after which a right layer is still undecided with probability 1e-9,
/// over those expected: 3.2 for the martingale of drop_rate.
constexpr double kWorst = 4;

/// What is drawn, and the tolerance that it affords.
struct RobustPlan {
  std::int64_t units = 1;  ///< a call
  double delta = 0;
  std::int64_t calls = 0;  ///< at most
  double expected_calls = 0;
  bool affordable = true;
};

stats::RateClaim claim_of(double p0, double delta, double alpha,
                          double weight) {
  const double step = std::ldexp(1.0, -24);
  return {p0,
          delta,
          {std::max(0.0, p0 - step), std::min(1.0, p0 + step)},
          alpha,
          weight};
}

/// As many units a call as a bet of the largest size is worth.
std::int64_t units_a_call(const impl::Law& law, double p0, double delta) {
  if (law.unit == impl::Unit::kTensor) return 1;
  const double useful = 2.7 * std::min(p0, 1 - p0) / delta;
  const auto bounded =
      static_cast<std::uint64_t>(std::clamp(useful, 1.0, 65536.0));
  return static_cast<std::int64_t>(std::bit_floor(bounded));
}

RobustPlan robust_plan(const PlannedConfiguration& planned,
                       const Settings& settings) {
  const double p0 = planned.config.drop_probability;
  const double calls_budget = by_profile(settings.profile, 1.5e5, 6.5e5, 6.5e7);
  const double units_budget = by_profile(settings.profile, 4e6, 8e7, 2e10);
  RobustPlan plan;
  plan.delta = planned.delta;
  const double limit = std::min(p0, 1 - p0) / 5;
  while (true) {
    plan.units = units_a_call(*planned.law, p0, plan.delta);
    const auto claim = claim_of(p0, plan.delta, settings.alpha, 1);
    plan.expected_calls = stats::robust_certification_calls(
        claim, static_cast<double>(plan.units));
    const double worst = kWorst * plan.expected_calls;
    plan.calls = static_cast<std::int64_t>(worst) + 1;
    const bool fits = worst <= calls_budget &&
                      worst * static_cast<double>(plan.units) <= units_budget;
    plan.affordable = fits;
    if (fits || plan.delta >= limit) return plan;
    plan.delta = std::min(limit, 1.25 * plan.delta);
  }
}

/// How many calls had each number of drops.
class CallCounts {
 public:
  explicit CallCounts(std::int64_t units)
      : units_(units), calls_(static_cast<std::size_t>(units) + 1) {}

  void add(const std::uint64_t* mask) {
    const auto words = static_cast<std::size_t>((units_ + 63) / 64);
    const std::uint64_t drops = popcount(mask, words);
    ++calls_[drops];
    all_ += {drops, static_cast<std::uint64_t>(units_)};
  }

  stats::RobustRate state(const stats::RateClaim& claim) const {
    stats::RobustRate rate(claim, static_cast<double>(units_));
    for (std::size_t drops = 0; drops < calls_.size(); ++drops) {
      if (calls_[drops] == 0) continue;
      rate.add({drops, static_cast<std::uint64_t>(units_)}, calls_[drops]);
    }
    return rate;
  }

  const stats::Counts& all() const { return all_; }

 private:
  std::int64_t units_;
  std::vector<std::uint64_t> calls_;
  stats::Counts all_;
};

void show_interval(Finding& finding, const stats::RobustRate& rate,
                   const Context& context) {
  const double level = stats::refutation_threshold(
      context.settings.alpha,
      finding.verdict == Verdict::kCertified ? 1 : finding.weight);
  const stats::Interval interval = rate.confidence_sequence(level);
  finding.interval_lower = interval.lower;
  finding.interval_upper = interval.upper;
}

void conclude(Finding& finding, const stats::RateClaim& claim,
              const Context& context) {
  if (finding.verdict == Verdict::kRefuted) {
    finding.sentence = fmt::format(
        "drop rate is {:.4g}, not {}, whatever the units of a call have to do "
        "with each other",
        *finding.observed, number_text(context.p0()));
  } else if (finding.verdict == Verdict::kCertified) {
    finding.sentence = fmt::format(
        "drop rate is {} to within {:.2g} without assuming independent units",
        number_text(context.p0()), claim.delta);
    finding.bound = fmt::format(
        "drop probability in ({:.6g}, {:.6g}), assuming only that it is the "
        "same in every call, given the calls before",
        claim.p0 - claim.delta, claim.p0 + claim.delta);
  } else {
    leave_open(finding, "the calls that the profile affords decide nothing");
  }
}

/// What ties the units together, if anything, and what the rate looks like.
std::optional<std::string> why(const Finding& finding, const Context& context) {
  std::string words = cause_of_rate(
      context.p0(), {*finding.interval_lower, *finding.interval_upper});
  if (const auto groups = cause_of_counts(sample_masks(context))) {
    words += ", and " + *groups;
  }
  return words;
}

}  // namespace

static Finding check_robust_rate(const Context& context) {
  Finding finding = start_finding(context, "drop_rate_robust");
  const RobustPlan plan = robust_plan(context.plan, context.settings);
  const stats::RateClaim claim =
      claim_of(context.p0(), plan.delta, context.settings.alpha,
               finding.weight > 0 ? finding.weight : 1);
  const StreamSource source(
      context, shape_of_units(context.law(), context.config(), plan.units));
  MaskStream stream(source);
  stream.reseed(stream_seed(context.experiment, Stream::kRobustRate));
  CallCounts counts(source.units());
  std::int64_t done = 0;
  stats::RateOutcome outcome = stats::RateOutcome::kUndecided;
  while (done < plan.calls && outcome == stats::RateOutcome::kUndecided) {
    const std::int64_t look =
        std::min(plan.calls, done + std::max<std::int64_t>(256, done / 16));
    stream.draw(look - done,
                [&](const std::uint64_t* mask) { counts.add(mask); });
    done = look;
    outcome = counts.state(claim).decide();
  }
  const stats::RobustRate rate = counts.state(claim);
  finding.calls = static_cast<std::uint64_t>(done);
  finding.n = counts.all().n;
  finding.quantity = "the drop rate";
  finding.expected = context.p0();
  finding.observed = static_cast<double>(counts.all().drops) /
                     static_cast<double>(counts.all().n);
  if (!refute_by_e_value(finding, context, rate.log_e_value(), "") &&
      outcome == stats::RateOutcome::kCertified) {
    finding.verdict = Verdict::kCertified;
  }
  conclude(finding, claim, context);
  show_interval(finding, rate, context);
  if (finding.verdict == Verdict::kRefuted) {
    add_cause(finding, [&] { return why(finding, context); });
  }
  return finding;
}

namespace {

/// Small probabilities need more calls than a profile affords, whatever their
/// units: bets are capped.
std::string_view not_affordable(const PlannedConfiguration& planned,
                                const Occasion& occasion) {
  if (!occasion.once()) return not_once(planned, occasion);
  const bool affordable =
      planned.delta > 0 && robust_plan(planned, occasion.settings).affordable;
  return affordable ? "" : "it takes more calls than the profile affords";
}

void plan_robust(const PlannedConfiguration& planned, const Settings& settings,
                 double threshold, PlannedCheck& check) {
  const RobustPlan plan = robust_plan(planned, settings);
  const auto units = static_cast<double>(plan.units);
  // What is refuted within the calls drawn, as z in calls: their fractions
  // have the variance p q / units if units are independent.
  const double p = planned.config.drop_probability;
  const double n = static_cast<double>(plan.calls) * units;
  check.detectable_effect = two_digits(
      std::max(plan.delta, detectable_z(threshold + 2, mixture_overhead(n)) *
                               std::sqrt(p * (1 - p) / n)));
  check.detectable = fmt::format(
      "a drop rate off by {:.2g}, given independent units; where they depend "
      "on each other, later",
      check.detectable_effect);
  check.expected_n = plan.expected_calls * units;
  check.worst_n = n;
  check.elements = check.expected_n;
}

}  // namespace

constinit const CheckDefinition drop_rate_robust_check{
    .info = {"drop_rate_robust", Evidence::kStatistical,
             "the drop probability is right, whatever the units of a call do",
             "Bets on the dropped fraction of whole calls, which may depend on "
             "each other in any way inside a call: only the mean of a call, "
             "given the calls before, is assumed to be the same. Certified if "
             "the confidence sequence lies within the tolerance, which may be "
             "wider than that of drop_rate; refuted if it excludes the "
             "declared rate. In one configuration a subject.",
             kByEValue, "faulty:groups_with_wrong_rate"},
    .from_calls = check_robust_rate,
    .own_shapes = true,
    .not_applicable = overlapping_blocks,
    .left_out = not_affordable,
    .plan = plan_robust};

}  // namespace dropcheck::properties
