// The checks that follow from the rate and the values: support, drop_rate,
// expectation and moments (STATISTICS 2.a, 2.c).
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "dropcheck/stats/beta_binomial.hpp"
#include "dropcheck/stats/chi_square.hpp"
#include "dropcheck/stats/look_schedule.hpp"
#include "dropcheck/stats/moments.hpp"
#include "rate_words.hpp"
#include "statistical_checks.hpp"

namespace dropcheck::properties {
namespace {

/// What a layer does to kept and dropped units, as it was read.
struct Values {
  double slope = 1;
  double offset = 0;
  double dropped = 0;
};

Values observed_values(const MaskReader& reader) {
  if (reader.model()) {
    return {reader.model()->factor(), reader.model()->offset,
            reader.dropped_value()};
  }
  return {reader.line().slope, reader.line().offset, reader.dropped_value()};
}

/// Half a unit in the last place: what rounding a constant may cost.
double rounding(impl::DType dtype) {
  return std::ldexp(1.0, -impl::significand_bits(dtype));
}

double rate_of(const stats::Counts& counts) {
  return static_cast<double>(counts.drops) / static_cast<double>(counts.n);
}

stats::BetaPrior rate_prior(const Context& context) {
  return stats::prior_around(
      context.p0(), stats::recommended_kappa(context.p0(), context.plan.delta));
}

stats::Interval rate_interval(const StatisticalInput& input,
                              const Finding& finding) {
  const Context& context = input.context;
  const double level = finding.verdict == Verdict::kCertified
                           ? -std::log(context.settings.alpha)
                           : context.log_threshold(finding.check);
  return stats::confidence_sequence(input.battery.rate, rate_prior(context),
                                    level);
}

void note_counts(Finding& finding, const StatisticalInput& input) {
  finding.n = input.battery.rate.n;
  finding.calls =
      finding.n / static_cast<std::uint64_t>(input.sampler.units().units());
}

/// Drop rates at which the law's mean (as a line in x) is met up to delta and
/// rounding.
stats::Interval rates_with_right_mean(const Context& context,
                                      const Values& seen) {
  const impl::Affine map = impl::affine(context.law(), context.config());
  const double p0 = context.p0();
  const double q0 = 1 - p0;
  const double delta = context.plan.delta;
  const double unit = 2 * rounding(context.config().dtype);
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

/// Sentence for a mean that is off.
std::string mean_sentence(const Context& context, const Values& seen,
                          double rate) {
  const impl::Affine map = impl::affine(context.law(), context.config());
  const double slope = (1 - rate) * seen.slope;
  const double expected = (1 - context.p0()) * map.a;
  if (map.c == 0 && seen.dropped == 0 && std::abs(seen.offset) < 1e-6) {
    return fmt::format(
        "E[y]/x is {:.6g}, not {:.6g}: the expectation is not "
        "preserved",
        slope, expected);
  }
  return fmt::format(
      "E[y] is {:.5g} * x {:+.5g}, not {:.5g} * x {:+.5g}: the mean is not "
      "kept",
      slope, (1 - rate) * seen.offset + rate * seen.dropped, expected,
      (1 - context.p0()) * map.b + context.p0() * map.dropped_value());
}

/// Values that follow no line have no mean and variance to be derived.
bool scattered(Finding& finding, const Context& context) {
  if (context.reader->model() || context.reader->straight()) return false;
  leave_open(finding,
             "kept values are no linear function of the input: see "
             "support");
  return true;
}

/// How wrong kept values look, for the support sentence.
std::string slope_words(const Context& context, const MaskReader& reader) {
  const impl::Affine map = impl::affine(context.law(), context.config());
  const Line& line = reader.line();
  const double p = context.p0();
  const double q = 1 - p;
  const auto is = [&](double value, double target) {
    return std::abs(value - target) <= 1e-3 * std::abs(target) + 1e-9;
  };
  const std::string keep = fmt::format("{:.6g}", q);
  if (map.c == 0) {
    if (is(line.slope, 1) && map.a != 1) {
      return fmt::format("kept values are not scaled: x instead of x/{}", keep);
    }
    if (is(line.slope, 1 / (q * q))) {
      return fmt::format(
          "kept values are scaled twice: x/{0}^2 instead of "
          "x/{0}",
          keep);
    }
    if (is(line.slope, 1 / p) && !is(p, q)) {
      return fmt::format(
          "kept values are divided by the drop probability: "
          "x/{:.6g} instead of x/{}",
          p, keep);
    }
    if (is(line.slope, q) && map.a != q) {
      return fmt::format(
          "kept values are multiplied by the keep probability: "
          "x*{0} instead of x/{0}",
          keep);
    }
    for (const impl::DType dtype :
         {impl::DType::kBFloat16, impl::DType::kFloat16}) {
      if (std::abs(line.slope - impl::rounded(map.a, dtype)) < 1e-7 &&
          impl::rounded(map.a, dtype) != map.a) {
        return fmt::format(
            "kept values are x * {:.7g}: the scale 1/{} = {:.7g} was rounded "
            "to {}",
            line.slope, keep, map.a, impl::name_of(dtype));
      }
    }
    return fmt::format("kept values are x * {:.6g} where x * {:.6g} is due",
                       line.slope, map.a);
  }
  if (is(line.slope, 1) && std::abs(line.offset) < 1e-6) {
    return "kept values are x itself: the affine map that keeps mean and "
           "variance is missing";
  }
  if (is(line.slope, 1 / q) && std::abs(line.offset) < 1e-6) {
    return fmt::format(
        "kept values are x/{}, as plain dropout returns them; "
        "{:.6g} * x {:+.6g} is due",
        keep, map.a, map.b);
  }
  return fmt::format(
      "kept values are {:.6g} * x {:+.6g} where {:.6g} * x "
      "{:+.6g} is due",
      line.slope, line.offset, map.a, map.b);
}

std::string dropped_words(const Context& context, const MaskReader& reader) {
  const impl::Affine map = impl::affine(context.law(), context.config());
  const double due = map.dropped_value();
  const double seen = reader.dropped_value();
  if (!reader.any_dropped() ||
      std::abs(seen - due) <= 8 * rounding(context.config().dtype) *
                                  (std::abs(map.a * map.c) + std::abs(map.b))) {
    return {};
  }
  return fmt::format("dropped units become {:.6g}, not {:.6g}", seen, due);
}

std::string support_sentence(const Context& context, const MaskReader& reader) {
  std::string dropped = dropped_words(context, reader);
  const impl::Affine map = impl::affine(context.law(), context.config());
  const Line& line = reader.line();
  const double tiny = 8 * rounding(context.config().dtype);
  const bool straight = reader.straight();
  const bool line_is_right =
      straight && std::abs(line.slope - map.a) <= tiny * map.a &&
      std::abs(line.offset - map.b) <= tiny * (std::abs(map.b) + map.a);
  if (straight && !line_is_right) {
    const std::string kept = slope_words(context, reader);
    return dropped.empty() ? kept : kept + "; " + dropped;
  }
  if (!dropped.empty()) return dropped;
  if (reader.misfit()) {
    const KeptPair& pair = *reader.misfit();
    return fmt::format(
        "x = {:.7g} becomes {:.7g}, which is neither the kept "
        "value {:.7g} nor the dropped value {:.7g}",
        pair.x, pair.y, map.a * pair.x + map.b, map.dropped_value());
  }
  return fmt::format("kept values are up to {:.0f} units of the last place off",
                     reader.largest_error_ulp());
}

}  // namespace

stats::RateClaim rate_claim(const Context& context) {
  const double p0 = context.p0();
  const double slack = std::ldexp(1.0, -24);
  const PlannedCheck* planned = context.planned("drop_rate");
  stats::RateClaim claim;
  claim.p0 = p0;
  claim.delta = context.plan.delta;
  claim.declared = {std::max(0.0, p0 - slack), std::min(1.0, p0 + slack)};
  claim.alpha = context.settings.alpha;
  claim.weight = planned != nullptr ? planned->weight : 1;
  return claim;
}

Finding check_support(const StatisticalInput& input) {
  const Context& context = input.context;
  const MaskReader& reader = *context.reader;
  Finding finding = start_finding(context, "support");
  finding.calls = input.battery.total.calls;
  finding.n = finding.calls * static_cast<std::uint64_t>(reader.size());
  finding.quantity = "kept value / x";
  if (context.law().scaling == impl::Scaling::kInverseKeep) {
    finding.expected = impl::affine(context.law(), context.config()).a;
    finding.observed = observed_values(reader).slope;
  }
  if (reader.misfit() || (!reader.exact() && reader.largest_error_ulp() > 2)) {
    refute(finding, support_sentence(context, reader));
    return finding;
  }
  const Tally& total = input.battery.total;
  if (total.wrong) {
    const Witness& witness = *total.wrong;
    const auto element = static_cast<std::size_t>(witness.element);
    const impl::Affine map = impl::affine(context.law(), context.config());
    refute(finding,
           fmt::format("x = {:.7g} at {} becomes {:.7g}, which is neither the "
                       "kept value {:.7g} nor the dropped value {:.7g} (call "
                       "{} of block {}; {} of {} calls have such a value)",
                       reader.base(element),
                       place_of(witness.element, context.inputs.base.shape()),
                       witness.value, map.a * reader.base(element) + map.b,
                       map.dropped_value(), witness.call, witness.block,
                       total.wrong_calls, total.calls));
    return finding;
  }
  const std::string model =
      reader.model()
          ? "kept values are exactly " + reader.model()->describe()
          : fmt::format(
                "kept values are within {:.2f} units of the last place "
                "of the law; no single rounding model gives them all",
                reader.largest_error_ulp());
  certify(finding, model,
          fmt::format("on the {} elements of the {} calls read", finding.n,
                      finding.calls));
  return finding;
}

Finding check_drop_rate(const StatisticalInput& input) {
  const Context& context = input.context;
  Finding finding = start_finding(context, "drop_rate");
  const stats::RateClaim claim = rate_claim(context);
  const stats::Counts counts = input.battery.rate;
  note_counts(finding, input);
  finding.quantity = "drop rate";
  finding.expected = claim.p0;
  finding.observed = rate_of(counts);
  const double log_e = stats::log_e_value(claim, counts);
  const bool refuted = refute_by_e_value(finding, context, log_e, {});
  const bool certified =
      input.battery.outcome == stats::RateOutcome::kCertified;
  if (!refuted && certified) finding.verdict = Verdict::kCertified;
  const stats::Interval interval = rate_interval(input, finding);
  finding.interval_lower = interval.lower;
  finding.interval_upper = interval.upper;
  const std::string seen = rate_text(*finding.observed, interval);
  if (refuted) {
    // The words may use all that was read; the decision does not.
    const stats::Counts all = input.battery.total.rate;
    const double p = rate_of(all);
    const double sigma =
        3.3 * std::sqrt(p * (1 - p) / static_cast<double>(all.n));
    const stats::Interval likely{p - sigma, p + sigma};
    const auto cause = cause_of_rate(claim.p0, likely);
    finding.sentence =
        fmt::format("drop rate is {}, not {:.6g}{}{}", rate_text(p, likely),
                    claim.p0, cause ? ": " : "", cause.value_or(""));
  } else if (certified) {
    certify(finding,
            fmt::format("drop rate is {} (specified {:.6g})", seen, claim.p0),
            fmt::format("given independent units, the drop probability lies in "
                        "[{:.6g}, {:.6g}]; wrong with probability at most {:g}",
                        interval.lower, interval.upper, claim.alpha));
  } else {
    leave_open(finding,
               fmt::format("after {} units the drop rate is known to lie in "
                           "[{:.6g}, {:.6g}] only",
                           counts.n, interval.lower, interval.upper));
  }
  return finding;
}

Finding check_expectation(const StatisticalInput& input) {
  const Context& context = input.context;
  Finding finding = start_finding(context, "expectation");
  note_counts(finding, input);
  if (scattered(finding, context)) return finding;
  const Values seen = observed_values(*context.reader);
  const impl::Affine map = impl::affine(context.law(), context.config());
  const stats::Counts counts = input.battery.rate;
  const double rate = rate_of(counts);
  finding.quantity = "E[y]/x";
  if (map.c != 0) finding.quantity = "slope of E[y] in x";
  finding.expected = (1 - context.p0()) * map.a;
  finding.observed = (1 - rate) * seen.slope;
  const stats::Interval allowed = rates_with_right_mean(context, seen);
  const bool impossible = allowed.lower > allowed.upper;
  bool refuted = impossible;
  if (impossible) {
    refute(finding, mean_sentence(context, seen, rate));
  } else {
    const double nearest = std::clamp(rate, allowed.lower, allowed.upper);
    refuted = refute_by_e_value(
        finding, context,
        stats::log_martingale(counts, rate_prior(context), nearest),
        mean_sentence(context, seen, rate));
  }
  const stats::Interval certified = stats::confidence_sequence(
      counts, rate_prior(context), -std::log(context.settings.alpha));
  const bool inside =
      certified.lower >= allowed.lower && certified.upper <= allowed.upper;
  if (!refuted && inside) finding.verdict = Verdict::kCertified;
  const stats::Interval interval = rate_interval(input, finding);
  const auto [low, high] = std::minmax(
      {(1 - interval.upper) * seen.slope, (1 - interval.lower) * seen.slope});
  finding.interval_lower = low;
  finding.interval_upper = high;
  if (refuted) return finding;
  if (inside) {
    const double bias = seen.slope / map.a - 1;
    certify(finding,
            fmt::format("the mean is kept{}",
                        std::abs(bias) > 1e-6
                            ? fmt::format(" up to {:+.4f} %, the rounding of "
                                          "the scale to the dtype",
                                          100 * bias)
                            : ""),
            fmt::format("given independent units, {} lies in [{:.6g}, {:.6g}]; "
                        "wrong with probability at most {:g}",
                        finding.quantity, low, high, context.settings.alpha));
  } else {
    leave_open(finding, fmt::format("{} is known to lie in [{:.6g}, {:.6g}] "
                                    "only",
                                    finding.quantity, low, high));
  }
  return finding;
}

namespace {

/// p * (1 - p), relative to the law's, times the squared ratio of the gaps
/// between kept and dropped value.
struct VarianceRatio {
  double p0;
  double gap_ratio;
  double at(double p) const {
    return p * (1 - p) / (p0 * (1 - p0)) * gap_ratio * gap_ratio;
  }
};

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
std::array<stats::Interval, 2> rates_with_right_variance(
    const VarianceRatio& ratio, double tolerance) {
  const double base =
      ratio.p0 * (1 - ratio.p0) / (ratio.gap_ratio * ratio.gap_ratio);
  const auto lower_root = [](double product) {
    const double root = 1 - 4 * product;
    return root <= 0 ? 0.5 : (1 - std::sqrt(root)) / 2;
  };
  const double low = lower_root(base * (1 - tolerance));
  const double high = lower_root(base * (1 + tolerance));
  if (base * (1 - tolerance) > 0.25) return {{{1, 0}, {1, 0}}};
  return {{{low, high}, {1 - high, 1 - low}}};
}

/// Sampled moments of (y - E[y]) / sd[y], whose law is two-valued and known.
/// One value a unit: elements of a unit are not independent.
std::vector<DiagnosticRow> moment_rows(const Context& context,
                                       const UnitReader& units) {
  const impl::Affine map = impl::affine(context.law(), context.config());
  const double p = context.p0();
  const double q = 1 - p;
  stats::Moments sample;
  for (const impl::Tensor& output : context.calibration) {
    const impl::TensorView view = output.view();
    std::vector<bool> seen(static_cast<std::size_t>(units.units()));
    for (std::int64_t i = 0; i < view.size(); ++i) {
      if (seen[units.unit_of(i)]) continue;
      seen[units.unit_of(i)] = true;
      const double x = context.reader->base(static_cast<std::size_t>(i));
      const double kept = map.a * x + map.b;
      const double gap = kept - map.dropped_value();
      const double mean = q * kept + p * map.dropped_value();
      const double standard = (view.value(i) - mean) / (gap * std::sqrt(p * q));
      if (std::isfinite(standard)) sample.add(standard);
    }
  }
  stats::RawMoments unit{};
  unit.fill(1);
  const stats::TheoreticalMoments theory = stats::masked_moments(
      unit, {p, 0, 1 / std::sqrt(p * q), -q / std::sqrt(p * q)});
  std::vector<DiagnosticRow> rows;
  for (const stats::Diagnostic& test :
       {stats::mean_test(sample, theory), stats::variance_test(sample, theory),
        stats::skewness_test(sample, theory),
        stats::kurtosis_test(sample, theory)}) {
    rows.push_back({test.name, test.statistic, test.degrees_of_freedom,
                    test.log10_p, test.valid_at_level, test.note});
  }
  return rows;
}

}  // namespace

Finding check_moments(const StatisticalInput& input) {
  const Context& context = input.context;
  Finding finding = start_finding(context, "moments");
  note_counts(finding, input);
  if (scattered(finding, context)) return finding;
  const Values seen = observed_values(*context.reader);
  const stats::Counts counts = input.battery.rate;
  const double rate = rate_of(counts);
  const VarianceRatio ratio{context.p0(), worst_gap_ratio(context, seen)};
  finding.quantity = "Var[y] / the law's";
  finding.expected = 1;
  finding.observed = ratio.at(rate);
  finding.diagnostics = moment_rows(context, input.sampler.units());
  const auto sets =
      rates_with_right_variance(ratio, variance_tolerance(context));
  const std::string sentence = fmt::format(
      "the variance is {:.6g} times what the law gives", ratio.at(rate));
  const bool impossible = sets[0].lower > sets[0].upper;
  double log_e = 1e300;
  if (impossible) {
    refute(finding, sentence);
  } else {
    for (const stats::Interval& set : sets) {
      log_e = std::min(
          log_e, stats::log_martingale(counts, rate_prior(context),
                                       std::clamp(rate, set.lower, set.upper)));
    }
    refute_by_e_value(finding, context, log_e, sentence);
  }
  const stats::Interval rates = stats::confidence_sequence(
      counts, rate_prior(context), -std::log(context.settings.alpha));
  const bool refuted = finding.verdict == Verdict::kRefuted;
  const bool joined = sets[0].upper >= 0.5;
  const bool inside =
      (joined && rates.lower >= sets[0].lower &&
       rates.upper <= sets[1].upper) ||
      (rates.lower >= sets[0].lower && rates.upper <= sets[0].upper) ||
      (rates.lower >= sets[1].lower && rates.upper <= sets[1].upper);
  if (!refuted && inside) finding.verdict = Verdict::kCertified;
  const stats::Interval interval = rate_interval(input, finding);
  auto [low, high] =
      std::minmax({ratio.at(interval.lower), ratio.at(interval.upper)});
  if (interval.lower < 0.5 && interval.upper > 0.5) high = ratio.at(0.5);
  finding.interval_lower = low;
  finding.interval_upper = high;
  if (refuted) return finding;
  if (inside) {
    certify(finding, "the variance is the law's",
            fmt::format("given independent units, its ratio to the law's lies "
                        "in [{:.6g}, {:.6g}]; wrong with probability at most "
                        "{:g}",
                        low, high, context.settings.alpha));
  } else {
    leave_open(finding, fmt::format("the ratio is known to lie in [{:.6g}, "
                                    "{:.6g}] only",
                                    low, high));
  }
  return finding;
}

}  // namespace dropcheck::properties
