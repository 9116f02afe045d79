#include "rate_sets.hpp"

#include <algorithm>
#include <cmath>

#include "dropcheck/impl/block_law.hpp"
#include "dropcheck/stats/beta_binomial.hpp"
#include "dropcheck/stats/rate_claim.hpp"

namespace dropcheck::properties {

Values observed_values(const MaskReader& reader) {
  if (reader.model()) {
    return {reader.model()->factor(), reader.model()->offset,
            reader.dropped_value()};
  }
  return {reader.line().slope, reader.line().offset, reader.dropped_value()};
}

double rounding(impl::DType dtype) {
  return std::ldexp(1.0, -impl::significand_bits(dtype));
}

namespace {

stats::BetaPrior rate_prior(const Context& context) {
  return stats::prior_around(
      context.p0(), stats::recommended_kappa(context.p0(), context.plan.delta));
}

/// Drop rates at which the law's mean (as a line in x) is met up to delta and
/// rounding.
stats::Interval rates_with_right_mean(const Context& context,
                                      const Values& seen) {
  const impl::Affine map = impl::affine(context.law(), context.config());
  const double p0 = context.p0();
  const double q0 = 1 - p0;
  const double delta = context.plan.delta;
  const double unit = 1.05 * rounding(context.config().dtype);
  // E[y | x] = (1 - p) * (slope * x + offset) + p * dropped.
  stats::Interval rates{0, 1};
  const auto demand = [&](double at_zero, double per_p, double expected,
                          double tolerance) {
    if (per_p == 0) {
      if (std::abs(at_zero - expected) > tolerance) rates = {1, 0};
      return;
    }
    const double a = (expected - tolerance - at_zero) / per_p;
    const double b = (expected + tolerance - at_zero) / per_p;
    rates.lower = std::max(rates.lower, std::min(a, b));
    rates.upper = std::min(rates.upper, std::max(a, b));
  };
  demand(seen.slope, -seen.slope, q0 * map.a,
         map.a * (1.0001 * delta + unit * q0));
  const double gap = map.dropped_value() - map.b;
  if (gap != 0 || seen.dropped != seen.offset) {
    const double per_p = seen.dropped - seen.offset;
    const double size = std::abs(map.b) + std::abs(map.dropped_value());
    demand(seen.offset, per_p, q0 * map.b + p0 * map.dropped_value(),
           std::abs(gap) * 1.0001 * delta + 2 * unit * size);
  }
  return rates;
}

/// The gap ratio that is furthest from 1 over a few inputs; roundings of
/// slope, offset and dropped value to the dtype do not count.
double worst_gap_ratio(const Context& context, const Values& seen) {
  const impl::Affine map = impl::affine(context.law(), context.config());
  double worst = 1;
  for (const double x : {-2.0, -1.0, 1.0, 2.0, 4.0}) {
    const double due = map.a * x + map.b - map.dropped_value();
    if (std::abs(due) < 0.2) continue;
    const double gap = seen.slope * x + seen.offset - seen.dropped;
    const double size =
        std::abs(map.a * x) + std::abs(map.b) + std::abs(map.dropped_value());
    if (std::abs(gap - due) <= 4 * rounding(context.config().dtype) * size) {
      continue;
    }
    if (std::abs(gap / due - 1) > std::abs(worst - 1)) worst = gap / due;
  }
  return worst;
}

double variance_tolerance(const Context& context) {
  const double p0 = context.p0();
  const double delta = context.plan.delta;
  const double base = p0 * (1 - p0);
  double tolerance = 0;
  for (const double p : {p0 - delta, p0 + delta}) {
    tolerance = std::max(tolerance, std::abs(p * (1 - p) / base - 1));
  }
  return 1.0001 * tolerance + 8 * rounding(context.config().dtype);
}

/// Drop rates with the right variance: two intervals, mirrored at one half.
std::vector<stats::Interval> rates_with_right_variance(
    const VarianceRatio& ratio, double tolerance) {
  const double base =
      ratio.p0 * (1 - ratio.p0) / (ratio.gap_ratio * ratio.gap_ratio);
  const auto lower_root = [](double product) {
    const double root = 1 - 4 * product;
    return root <= 0 ? 0.5 : (1 - std::sqrt(root)) / 2;
  };
  const double low = lower_root(base * (1 - tolerance));
  const double high = lower_root(base * (1 + tolerance));
  if (base * (1 - tolerance) > 0.25) return {};
  // They meet at one half where the variance is largest.
  if (high >= 0.5) return {{low, 1 - low}};
  return {{low, high}, {1 - high, 1 - low}};
}

stats::Interval around(double p, double distance) {
  return {std::max(0.0, p - distance), std::min(1.0, p + distance)};
}

}  // namespace

double realisable_error(const Context& context) {
  const double threshold = std::ldexp(1.0, -24);
  if (context.law().unit != impl::Unit::kBlock) return threshold;
  return threshold *
         static_cast<double>(impl::block_law(context.law(), context.config(),
                                             context.inputs.base.shape())
                                 .covering_readable());
}

RateClaimSets rate_sets(const Context& context) {
  return {{around(context.p0(), realisable_error(context))},
          {around(context.p0(), context.plan.delta)}};
}

RateClaimSets mean_sets(const Context& context) {
  const stats::Interval rates =
      rates_with_right_mean(context, observed_values(*context.reader));
  if (rates.lower > rates.upper) return {};
  return {{rates}, {rates}};
}

VarianceRatio variance_ratio(const Context& context) {
  return {context.p0(),
          worst_gap_ratio(context, observed_values(*context.reader))};
}

RateClaimSets variance_sets(const Context& context) {
  const auto rates = rates_with_right_variance(variance_ratio(context),
                                               variance_tolerance(context));
  return {rates, rates};
}

double log_e_outside(const Context& context, const RateClaimSets& sets,
                     const stats::Counts& counts) {
  return stats::log_e_outside(sets.refuted_outside, counts,
                              rate_prior(context));
}

bool certified_inside(const Context& context, const RateClaimSets& sets,
                      const stats::Counts& counts) {
  return stats::certified_inside(sets.certified_inside, counts,
                                 rate_prior(context), context.settings.alpha);
}

bool decided(const Context& context, std::string_view check,
             const RateClaimSets& sets, const stats::Counts& counts) {
  return certified_inside(context, sets, counts) ||
         log_e_outside(context, sets, counts) >= context.log_threshold(check);
}

stats::Interval rate_interval(const Context& context,
                              const stats::Counts& counts, double level) {
  return stats::confidence_sequence(counts, rate_prior(context), level);
}

}  // namespace dropcheck::properties
