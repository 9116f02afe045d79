// The checks that follow from the rate and the values: support, drop_rate,
// expectation and moments (STATISTICS 2.a, 2.c).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <limits>
#include <optional>

#include "block_causes.hpp"
#include "check_definition.hpp"
#include "detection.hpp"
#include "dropcheck/impl/block_law.hpp"
#include "dropcheck/properties/number_text.hpp"
#include "dropcheck/stats/binomial_tail.hpp"
#include "dropcheck/stats/chi_square.hpp"
#include "dropcheck/stats/look_schedule.hpp"
#include "dropcheck/stats/moments.hpp"
#include "dropcheck/stats/rate_claim.hpp"
#include "mask_sample.hpp"
#include "measured_scale.hpp"
#include "option_words.hpp"
#include "rate_sets.hpp"
#include "rate_words.hpp"
#include "statistical_checks.hpp"
#include "value_causes.hpp"
#include "value_words.hpp"

namespace dropcheck::properties {
namespace {

double rate_of(const stats::Counts& counts) {
  if (counts.n == 0) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(counts.drops) / static_cast<double>(counts.n);
}

/// A claim that is a set of drop rates, at the look that decided it.
class RateDecision {
 public:
  RateDecision(const StatisticalInput& input, std::string_view check,
               RateClaimSets sets)
      : input_(input),
        check_(check),
        sets_(std::move(sets)),
        counts_(input.battery.claims.at(rate_claim_index(check))) {}

  const stats::Counts& counts() const { return counts_; }
  double rate() const { return rate_of(counts_); }

  /// Starts the finding and decides it, without words.
  Finding decide() const {
    const Context& context = input_.context;
    Finding finding = start_finding(context, check_);
    finding.n = counts_.n;
    finding.calls =
        counts_.n / static_cast<std::uint64_t>(input_.sampler.units().units());
    finding.verdict = Verdict::kInconclusive;
    if (counts_.n == 0) return finding;
    if (sets_.refuted_outside.empty()) {
      refute(finding, {});
    } else if (!refute_by_e_value(finding, context,
                                  log_e_outside(context, sets_, counts_), {}) &&
               certified_inside(context, sets_, counts_)) {
      finding.verdict = Verdict::kCertified;
    }
    return finding;
  }

  /// At alpha for a certificate, else at the claim's own share of it.
  stats::Interval interval(const Finding& finding) const {
    const Context& context = input_.context;
    const double level = finding.verdict == Verdict::kCertified
                             ? -std::log(context.settings.alpha)
                             : context.log_threshold(check_);
    return rate_interval(context, counts_, level);
  }

 private:
  const StatisticalInput& input_;
  std::string_view check_;
  RateClaimSets sets_;
  stats::Counts counts_;
};

void show_interval(Finding& finding, const stats::Interval& interval) {
  finding.interval_lower = interval.lower;
  finding.interval_upper = interval.upper;
}

/// Puts the words of a certificate, or of what is left open, on a finding
/// whose interval is known.
void conclude(Finding& finding, const Context& context,
              const std::string& certified) {
  const std::string interval = fmt::format(
      "[{:.6g}, {:.6g}]", *finding.interval_lower, *finding.interval_upper);
  if (finding.verdict != Verdict::kCertified) {
    leave_open(finding,
               fmt::format("after {} units {} is known to lie in {} only: "
                           "neither inside nor outside the tolerance for sure",
                           finding.n, finding.quantity, interval));
    return;
  }
  certify(finding, certified,
          fmt::format("given independent units, {} lies in {}; wrong with "
                      "probability at most {}",
                      finding.quantity, interval,
                      number_text(context.settings.alpha)));
}

/// Sentence for a mean that is off.
std::string mean_sentence(const Context& context, const Values& seen,
                          double rate) {
  const impl::Affine map = impl::affine(context.law(), context.config());
  const double slope = (1 - rate) * seen.slope;
  const double expected = (1 - context.p0()) * map.a;
  if (map.c == 0 && seen.dropped == 0 && std::abs(seen.offset) < 1e-6) {
    return fmt::format(
        "E[y]/x is {:.6g}, not {:.6g}: the expectation is not preserved", slope,
        expected);
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
             "kept values are no linear function of the input: see support");
  return true;
}

}  // namespace

std::size_t rate_claim_index(std::string_view check) {
  return check == "drop_rate" ? 0 : check == "expectation" ? 1 : 2;
}

std::vector<Decider> rate_claims(const Context& context) {
  const auto claim = [&context](std::string_view check,
                                RateClaimSets (*sets_of)(const Context&)) {
    const bool wanted = context.planned(check) != nullptr;
    const RateClaimSets sets = wanted ? sets_of(context) : RateClaimSets{};
    return [&context, check, sets, wanted](const stats::Counts& counts) {
      return !wanted || decided(context, check, sets, counts);
    };
  };
  return {claim("drop_rate", rate_sets), claim("expectation", mean_sets),
          claim("moments", variance_sets)};
}

/// Whether the scale was rounded to a 16-bit dtype, and that is not declared.
static bool rounds_undeclared(const Context& context) {
  const impl::Law& law = context.law();
  const bool narrow = impl::size_of(context.config().dtype) < sizeof(float);
  if (!narrow || !context.reader->model() ||
      law.scaling != impl::Scaling::kInverseKeep ||
      law.options.scale_rounding == impl::ScaleRounding::kDType) {
    return false;
  }
  // Of fp16 and bf16 the coarsest scales are off by 2^-12 and more; float's
  // rounding, however it is done, by 2^-22.
  const double exact = impl::affine(law, context.config()).a;
  return std::abs(context.reader->model()->factor() / exact - 1) >
         std::ldexp(1.0, -18);
}

static Finding check_support(const StatisticalInput& input) {
  const Context& context = input.context;
  const MaskReader& reader = *context.reader;
  Finding finding = start_finding(context, "support");
  if (impl::measures_scale(context.law(), context.config())) {
    decide_measured_scale(finding, context);
    return finding;
  }
  finding.calls = input.battery.total.calls;
  finding.n = finding.calls * static_cast<std::uint64_t>(reader.size());
  finding.quantity = "kept value / x";
  if (context.law().scaling == impl::Scaling::kInverseKeep) {
    finding.expected = impl::affine(context.law(), context.config()).a;
    finding.observed = observed_values(reader).slope;
  }
  if (!reader.follows_law()) {
    refute(finding, support_sentence(context));
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
  if (rounds_undeclared(context)) {
    refute(
        finding,
        fmt::format(
            "kept values are exactly {}: the scale {:.7g} was rounded to {}{}",
            reader.model()->describe(), *finding.expected,
            impl::name_of(context.config().dtype),
            needs_option({"scale_rounding = dtype"})));
    return finding;
  }
  const std::string model =
      reader.model()
          ? "kept values are exactly " + reader.model()->describe()
          : fmt::format(
                "kept values are within {:.2f} units of the last place of the "
                "law; no single rounding model gives them all",
                reader.largest_error_ulp());
  certify(finding, model,
          fmt::format("on the {} elements of the {} calls read", finding.n,
                      finding.calls));
  return finding;
}

namespace {

/// The rate, as what was read shows it and some calls more: the words may use
/// all that, the decision does not.
stats::Counts counts_for_words(const StatisticalInput& input) {
  stats::Counts all = input.battery.total.rate;
  if (input.context.law().unit == impl::Unit::kBlock) return all;
  try {
    const MaskSample sample = sample_masks(input.context);
    for (const std::uint8_t drop : sample.drops) all += {drop, 1};
  } catch (const std::exception&) {
    // What was read must do.
  }
  return all;
}

stats::Interval likely_rate(const stats::Counts& counts) {
  const double p = rate_of(counts);
  const double sigma =
      3.3 * std::sqrt(p * (1 - p) / static_cast<double>(counts.n));
  return {p - sigma, p + sigma};
}

std::string wrong_rate_words(const StatisticalInput& input, double specified) {
  const stats::Counts all = counts_for_words(input);
  const double p = rate_of(all);
  const stats::Interval likely = likely_rate(all);
  const Context& context = input.context;
  const std::optional<std::string> cause =
      context.law().unit == impl::Unit::kBlock
          ? cause_of_block_rate(context, likely)
          : cause_of_rate(specified, likely);
  return fmt::format("drop rate is {}, not {:.6g}{}{}", rate_text(p, likely),
                     specified, cause ? ": " : "", cause.value_or(""));
}

/// Why mean or variance are wrong: the values, or else the rate.
std::optional<std::string> moment_cause(const StatisticalInput& input) {
  if (auto cause = cause_of_values(input.context)) return cause;
  const double p = input.context.p0();
  const stats::Interval likely = likely_rate(counts_for_words(input));
  if (likely.lower <= p && p <= likely.upper) return std::nullopt;
  return wrong_rate_words(input, input.context.p0());
}

}  // namespace

static Finding check_drop_rate(const StatisticalInput& input) {
  const Context& context = input.context;
  const RateDecision decision(input, "drop_rate", rate_sets(context));
  Finding finding = decision.decide();
  finding.quantity = "the drop rate";
  finding.expected = context.p0();
  if (finding.n == 0) return finding;
  finding.observed = decision.rate();
  const stats::Interval interval = decision.interval(finding);
  show_interval(finding, interval);
  if (finding.verdict == Verdict::kRefuted) {
    finding.sentence = wrong_rate_words(input, context.p0());
    return finding;
  }
  conclude(finding, context,
           fmt::format("drop rate is {} (specified {:.6g})",
                       rate_text(decision.rate(), interval), context.p0()));
  return finding;
}

/// Not every law keeps the mean: without the scale it is keep * x, and alpha
/// dropout shrinks every mean but 0.
static std::string mean_words(const Context& context, const impl::Affine& map) {
  const double p = context.p0();
  const double slope = (1 - p) * map.a;
  const double offset = (1 - p) * map.b + p * map.dropped_value();
  const bool shifted = std::abs(offset) > 1e-9;
  if (std::abs(slope - 1) < 1e-9 && !shifted) return "the mean is kept";
  return fmt::format("E[y] = {:.6g} x{} as the law gives", slope,
                     shifted ? fmt::format(" {:+.6g}", offset) : "");
}

static Finding check_expectation(const StatisticalInput& input) {
  const Context& context = input.context;
  const RateDecision decision(input, "expectation", mean_sets(context));
  Finding finding = decision.decide();
  if (finding.n == 0 || scattered(finding, context)) return finding;
  const Values seen = observed_values(*context.reader);
  const impl::Affine map = impl::affine(context.law(), context.config());
  finding.quantity = map.c == 0 ? "E[y]/x" : "the slope of E[y] in x";
  finding.expected = (1 - context.p0()) * map.a;
  finding.observed = (1 - decision.rate()) * seen.slope;
  const stats::Interval rates = decision.interval(finding);
  show_interval(finding, {(1 - rates.upper) * seen.slope,
                          (1 - rates.lower) * seen.slope});
  if (finding.verdict == Verdict::kRefuted) {
    finding.sentence = mean_sentence(context, seen, decision.rate());
    add_cause(finding, [&] { return moment_cause(input); });
    return finding;
  }
  const double bias = 100 * (seen.slope / map.a - 1);
  std::string words = mean_words(context, map);
  if (std::abs(bias) > 1e-4) {
    words += fmt::format(
        " up to {:+.4f} %, the rounding of the scale to the dtype", bias);
  }
  conclude(finding, context, words);
  return finding;
}

namespace {

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
  if (sample.n < 2) return {};  // Nothing finite: `support` has said so.
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

/// The variance ratio over an interval of rates.
stats::Interval ratio_interval(const VarianceRatio& ratio,
                               const stats::Interval& rates) {
  auto [low, high] =
      std::minmax({ratio.at(rates.lower), ratio.at(rates.upper)});
  if (rates.lower < 0.5 && rates.upper > 0.5) high = ratio.at(0.5);
  return {low, high};
}

}  // namespace

static Finding check_moments(const StatisticalInput& input) {
  const Context& context = input.context;
  const RateDecision decision(input, "moments", variance_sets(context));
  Finding finding = decision.decide();
  if (finding.n == 0 || scattered(finding, context)) return finding;
  const VarianceRatio ratio = variance_ratio(context);
  finding.quantity = "the variance over the law's";
  finding.expected = 1;
  finding.observed = ratio.at(decision.rate());
  finding.diagnostics = moment_rows(context, input.sampler.units());
  show_interval(finding, ratio_interval(ratio, decision.interval(finding)));
  if (finding.verdict == Verdict::kRefuted) {
    finding.sentence = fmt::format(
        "the variance is {:.6g} times what the law gives", *finding.observed);
    add_cause(finding, [&] { return moment_cause(input); });
    return finding;
  }
  conclude(finding, context, "the variance is the law's");
  return finding;
}

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// ln of the exact chance that the counts of the last look alone do not refute
/// a layer whose rate is p; there is nothing to miss beyond [0, 1].
double log_missed(const stats::Boundaries& at, std::uint64_t n, double p,
                  bool above) {
  if (above) {
    if (p > 1) return -kInfinity;
    return stats::log_lower_tail(
        static_cast<std::uint64_t>(at.refute_at_least) - 1, n, p);
  }
  if (p < 0) return -kInfinity;
  return stats::log_upper_tail(
      static_cast<std::uint64_t>(at.refute_at_most + 1), n, p);
}

/// The smallest error of the rate, on either side, that is refuted but for a
/// chance of 5e-10 where errors up to `tolerance` are none; a wrong
/// certificate before the last look has less than the other half of 1e-9.
double detectable_rate_error(const PlannedConfiguration& planned,
                             const Settings& settings,
                             const PlannedCheck& check, double tolerance) {
  const double p = planned.rate;
  const std::uint64_t n = planned.rate_n_max;
  const stats::RateClaim claim{
      p,
      planned.delta,
      {std::max(0.0, p - tolerance), std::min(1.0, p + tolerance)},
      settings.alpha,
      check.weight > 0 ? check.weight : 1};
  const stats::Boundaries at = stats::boundaries(claim, n);
  const auto found = [&](double error) {
    return log_missed(at, n, p + error, true) <= std::log(5e-10) &&
           log_missed(at, n, p - error, false) <= std::log(5e-10);
  };
  double low = tolerance;
  double high = std::max(p, 1 - p);
  for (int round = 0; round < 40; ++round) {
    const double middle = (low + high) / 2;
    (found(middle) ? high : low) = middle;
  }
  return two_digits(high * 1.05);
}

/// `effect_per_rate`: how much the quantity moves with the drop rate.
void plan_claim(const PlannedConfiguration& planned, const Settings& settings,
                double error, double effect_per_rate, PlannedCheck& check) {
  check.detectable_effect = two_digits(error * effect_per_rate);
  check.expected_n =
      std::min(stats::expected_n(planned.rate, planned.delta, settings.alpha),
               static_cast<double>(planned.rate_n_max));
  check.worst_n = static_cast<double>(planned.rate_n_max);
  check.detectable = fmt::format("a drop rate off by {:.2g}", error);
}

void plan_rate(const PlannedConfiguration& planned, const Settings& settings,
               double, PlannedCheck& check) {
  plan_claim(
      planned, settings,
      detectable_rate_error(planned, settings, check, std::ldexp(1.0, -24)), 1,
      check);
}

void plan_expectation(const PlannedConfiguration& planned,
                      const Settings& settings, double, PlannedCheck& check) {
  plan_claim(planned, settings,
             detectable_rate_error(planned, settings, check, planned.delta),
             impl::affine(*planned.law, planned.config).a, check);
}

void plan_moments(const PlannedConfiguration& planned, const Settings& settings,
                  double, PlannedCheck& check) {
  const double p = planned.rate;
  plan_claim(planned, settings,
             detectable_rate_error(planned, settings, check, planned.delta),
             (std::abs(1 - 2 * p) + planned.delta) / (p * (1 - p)), check);
}

}  // namespace

namespace {

std::string_view no_two_values(const impl::Law& law) {
  return law.factor == impl::Factor::kNormal
             ? "nothing is dropped, and every value is possible: distribution "
               "decides"
             : "";
}

std::string_view place_decides(const impl::Law& law) {
  if (law.factor == impl::Factor::kNormal) return no_two_values(law);
  return law.unit == impl::Unit::kBlock
             ? "it differs from place to place, and follows from support and "
               "position_rates"
             : "";
}

}  // namespace

constinit const CheckDefinition support_check{
    .info = {"support", Evidence::kDeterministic,
             "every value is exactly the kept or the dropped one",
             "The rounding model that gives every kept value bit for bit is "
             "found by search: the scale rounded to double, float or the "
             "dtype, multiplied or divided, fused or not. Each value of every "
             "call drawn is then compared bit for bit. A layer whose values "
             "are close, but follow no model, passes within two units of the "
             "last place and the finding says so. A scale that is rounded to a "
             "16-bit dtype must be declared (scale_rounding = dtype).",
             kNoChance, "faulty:no_scale"},
    .from_battery = check_support,
    .takes_chance = false,
    .not_applicable = no_two_values};

constinit const CheckDefinition drop_rate_check{
    .info = {"drop_rate", Evidence::kStatistical,
             "the drop probability is the specified one",
             "Beta-binomial mixture martingale with a prior around the "
             "specified rate. Certified if its confidence sequence lies within "
             "delta of the specified rate, refuted if it excludes the declared "
             "rate (within 2^-24) at the claim's own share. Looks are "
             "scheduled at a factor 1.02.",
             kByEValue, "faulty:drops_nothing"},
    .from_battery = check_drop_rate,
    .not_applicable = no_two_values,
    .plan = plan_rate};

constinit const CheckDefinition expectation_check{
    .info = {"expectation", Evidence::kStatistical,
             "E[y] = x under 1/keep scaling (the law's mean in general)",
             "The mean is an exact function of the drop rate and of the kept "
             "and dropped values, which are known bit for bit. The drop rates "
             "at which the mean is right, up to delta and the rounding of the "
             "scale to the dtype, form an interval: its e-value decides.",
             kByEValue, "faulty:double_scale"},
    .from_battery = check_expectation,
    .not_applicable = place_decides,
    .plan = plan_expectation};

constinit const CheckDefinition moments_check{
    .info = {"moments", Evidence::kStatistical,
             "variance (and, shown beside it, skewness and kurtosis) as the "
             "law gives",
             "The variance is p * q times the squared gap between kept and "
             "dropped value. The drop rates at which it is right form an "
             "interval: its e-value decides. Sampled mean, variance, skewness "
             "and kurtosis on a planned prefix, one value a unit, are shown "
             "with their exact standard errors; they never decide.",
             kByEValue, "faulty:scale_by_p"},
    .from_battery = check_moments,
    .not_applicable = place_decides,
    .plan = plan_moments};

}  // namespace dropcheck::properties
