#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "check_definition.hpp"
#include "context.hpp"
#include "depth_plan.hpp"
#include "detection.hpp"
#include "dropcheck/impl/networks/selu_network.hpp"
#include "dropcheck/properties/number_text.hpp"
#include "dropcheck/stats/betting.hpp"
#include "value_causes.hpp"

namespace dropcheck::properties {
namespace {

/// Mean and variance of one layer's output for input of mean 0, variance 1.
struct OneLayer {
  double mean = 0;
  double variance = 1;
};

OneLayer one_layer(double p, double slope, double offset, double dropped) {
  const double mean = (1 - p) * offset + p * dropped;
  const double square =
      (1 - p) * (slope * slope + offset * offset) + p * dropped * dropped;
  return {mean, square - mean * mean};
}

std::optional<std::string> wrong_constants(const Context& context) {
  const MaskReader& reader = *context.reader;
  if (!reader.model() && !reader.straight()) return std::nullopt;
  const bool exact = reader.model().has_value();
  const Line& line = reader.line();
  const double p = context.p0();
  const OneLayer seen = one_layer(
      p, exact ? reader.model()->factor() : line.slope,
      exact ? reader.model()->offset : line.offset, reader.dropped_value());
  const double unit =
      std::ldexp(1.0, -impl::significand_bits(context.config().dtype));
  const double tolerance = std::max(16 * unit, 1e-6);
  if (std::abs(seen.mean) <= tolerance &&
      std::abs(seen.variance - 1) <= tolerance) {
    return std::nullopt;
  }
  return fmt::format(
      "does not keep mean 0 and variance 1 of its input: one layer gives mean "
      "{:.5g} and variance {:.5g}{}",
      seen.mean, seen.variance,
      ": " + cause_of_values(context).value_or("a, b or alpha' are wrong"));
}

/// Second moment and mean through depth, each a bet on a bounded value.
struct Depth {
  stats::BettingMean square{stats::Interval{0, 2}};
  stats::BettingMean mean{stats::Interval{-1, 1}};
  double sum_square = 0;
  double sum_mean = 0;
  std::uint64_t passes = 0;
};

double log_e(const Depth& depth, const DepthPlan& plan) {
  const double square =
      depth.square.log_e_value({1 - plan.band, 1 + plan.band});
  const double mean = depth.mean.log_e_value({-plan.band, plan.band});
  const double largest = std::max(square, mean);
  return largest - std::numbers::ln2 +
         std::log1p(std::exp(std::min(square, mean) - largest));
}

bool inside(const stats::Interval& interval, double low, double high) {
  return interval.lower >= low && interval.upper <= high;
}

bool certified(const Depth& depth, const DepthPlan& plan, double level) {
  return inside(depth.square.confidence_sequence(level), 1 - plan.band,
                1 + plan.band) &&
         inside(depth.mean.confidence_sequence(level), -plan.band, plan.band);
}

/// Looks after every 1/16 of the planned passes.
Depth run_depth(const Context& context, const DepthPlan& plan) {
  const auto layer = context.subject().make(context.config());
  if (context.describe().reseed) {
    layer->reseed(stream_seed(context.experiment, Stream::kNetwork));
  }
  impl::networks::SeluNetwork network({plan.depth, plan.width, plan.batch},
                                      *layer);
  Depth depth;
  const double level = -std::log(context.settings.alpha);
  const std::uint64_t look = std::max<std::uint64_t>(1, plan.passes / 16);
  while (depth.passes < plan.passes) {
    const impl::networks::Moments moments = network.pass(
        stream_seed(context.experiment, Stream::kNetwork, 1 + depth.passes));
    ++depth.passes;
    // A value that is not finite counts as the far end: it is never a pass.
    const double square = moments.mean_square <= 2 ? moments.mean_square : 2;
    const double mean = std::abs(moments.mean) <= 1
                            ? moments.mean
                            : (moments.mean > 0 ? 1 : -1);
    depth.square.add(square);
    depth.mean.add(std::isnan(mean) ? 1 : mean);
    depth.sum_square += square;
    depth.sum_mean += mean;
    if (depth.passes % look != 0) continue;
    if (log_e(depth, plan) >= context.log_threshold("self_normalisation") ||
        certified(depth, plan, level)) {
      break;
    }
  }
  return depth;
}

void decide_depth(Finding& finding, const Context& context,
                  const DepthPlan& plan) {
  const Depth depth = run_depth(context, plan);
  const auto n = static_cast<double>(depth.passes);
  finding.n = depth.passes;
  finding.calls += depth.passes * static_cast<std::uint64_t>(plan.depth);
  finding.quantity = fmt::format("E[min(y^2, 2)] after {} layers", plan.depth);
  finding.expected = 1;
  finding.observed = depth.sum_square / n;
  const stats::Interval interval =
      depth.square.confidence_sequence(-std::log(context.settings.alpha));
  finding.interval_lower = interval.lower;
  finding.interval_upper = interval.upper;
  if (refute_by_e_value(
          finding, context, log_e(depth, plan),
          fmt::format(
              "through {} SELU layers the activations reach mean {:.3f} and "
              "mean square {:.3f} (clipped at 2), not 0 and 1",
              plan.depth, depth.sum_mean / n, *finding.observed))) {
    return;
  }
  if (certified(depth, plan, -std::log(context.settings.alpha))) {
    certify(
        finding,
        fmt::format("keeps mean 0 and variance 1, also through {} SELU layers",
                    plan.depth),
        fmt::format("one layer: from the constants, given the drop rate; "
                    "through depth: mean and clipped mean square lie within "
                    "{:g} of 0 and 1, wrong with probability at most {}",
                    plan.band, number_text(context.settings.alpha)));
  } else {
    leave_open(
        finding,
        fmt::format("after {} passes the mean square through {} layers is "
                    "known to lie in [{:.3f}, {:.3f}] only",
                    depth.passes, plan.depth, interval.lower, interval.upper));
  }
}

}  // namespace

DepthPlan make_depth_plan(Profile profile) {
  DepthPlan plan;
  if (profile == Profile::kSmoke) {
    plan.width = 64;
    plan.band = 0.25;
    plan.passes = 400;
  } else if (profile != Profile::kPr) {
    plan.band = 0.08;
    plan.passes = 6000;
  }
  return plan;
}

static Finding check_self_normalisation(const Context& context) {
  Finding finding = start_finding(context, "self_normalisation");
  const auto wrong = wrong_constants(context);
  if (context.config().dtype == impl::DType::kFloat32) {
    decide_depth(finding, context, make_depth_plan(context.settings.profile));
  } else {
    finding.evidence = Evidence::kDeterministic;
    certify(finding, "keeps mean 0 and variance 1 of its input",
            "one layer, from the constants, given the drop rate; the network "
            "runs in f32");
  }
  if (!wrong) return finding;
  const bool seen_through_depth = finding.verdict == Verdict::kRefuted;
  refute(finding,
         seen_through_depth ? *wrong + "; " + finding.sentence : *wrong);
  finding.bound.clear();
  return finding;
}

namespace {

std::string_view not_selu(const impl::Law& law) {
  if (law.scaling == impl::Scaling::kSelu) return {};
  return "the law does not keep SELU's mean and variance";
}

void plan_self_normalisation(const PlannedConfiguration&,
                             const Settings& settings, double,
                             PlannedCheck& check) {
  check.expected_n = check.worst_n =
      static_cast<double>(make_depth_plan(settings.profile).passes);
  check.detectable = "a mean or mean square outside the band";
}

}  // namespace

constinit const CheckDefinition self_normalisation_check{
    .info =
        {"self_normalisation", Evidence::kStatistical,
         "SELU mean 0 and variance 1 are kept, one layer and through depth",
         "One layer: from the constants, given the rate. Through 32 SELU "
         "layers with fresh weights: one pass is one observation; a bet on the "
         "mean and on the mean square, clipped at 2, against a declared band.",
         kByEValue, "faulty:alpha_is_plain_dropout"},
    .from_calls = check_self_normalisation,
    .own_shapes = true,
    .not_applicable = not_selu,
    .plan = plan_self_normalisation};

}  // namespace dropcheck::properties
