// Mean and variance of what a block adds, from exact values and the rates.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "detection.hpp"
#include "dropcheck/properties/number_text.hpp"
#include "dropcheck/stats/beta_binomial.hpp"
#include "network_claims.hpp"
#include "structure_evidence.hpp"

namespace dropcheck::properties {
namespace {

using stats::Interval;

/// y = kept(x) with the probability 1 - p, else dropped; x is branch(h).
struct TapMap {
  Mixture kept;
  Mixture dropped;
  double slope(double p) const {
    return (1 - p) * kept.branch + p * dropped.branch;
  }
  double offset(double p) const {
    return (1 - p) * kept.offset + p * dropped.offset;
  }
  /// Kept less dropped value at x.
  double gap(double x) const {
    return (kept.branch - dropped.branch) * x + kept.offset - dropped.offset;
  }
};

/// The rates at which a line through p is within a tolerance of `due`.
Interval rates_within(double at_zero, double at_one, double due,
                      double tolerance) {
  const double slope = at_one - at_zero;
  if (slope == 0) {
    return std::abs(at_zero - due) <= tolerance ? Interval{0, 1}
                                                : Interval{1, 0};
  }
  const double a = (due - tolerance - at_zero) / slope;
  const double b = (due + tolerance - at_zero) / slope;
  return {std::max(0.0, std::min(a, b)), std::min(1.0, std::max(a, b))};
}

/// What is promised at a tap, and how far it may be off.
struct TapClaim {
  TapMap due;
  TapMap seen;
  double rate;      ///< promised
  double rounding;  ///< of the scale, relative
};

std::vector<Interval> mean_rates(const TapClaim& claim, double delta) {
  const double scale = std::abs(claim.due.kept.branch);
  const double tolerance = scale * (1.0001 * delta + claim.rounding);
  Interval rates = rates_within(claim.seen.slope(0), claim.seen.slope(1),
                                claim.due.slope(claim.rate), tolerance);
  const double size =
      std::abs(claim.due.kept.offset) + std::abs(claim.due.dropped.offset);
  const Interval offsets = rates_within(
      claim.seen.offset(0), claim.seen.offset(1), claim.due.offset(claim.rate),
      size * (1.0001 * delta + claim.rounding));
  rates = {std::max(rates.lower, offsets.lower),
           std::min(rates.upper, offsets.upper)};
  if (rates.lower > rates.upper) return {};
  return {rates};
}

double lower_root(double product) {
  const double root = 1 - 4 * product;
  return root <= 0 ? 0.5 : (1 - std::sqrt(root)) / 2;
}

/// Rates p with p (1 - p) gap^2 as promised, mirrored at one half.
std::vector<Interval> variance_rates(const TapClaim& claim, double delta) {
  double ratio = 1;
  for (const double x : {-2.0, -1.0, 1.0, 2.0}) {
    const double due = claim.due.gap(x);
    if (std::abs(due) < 0.2) continue;
    const double seen = claim.seen.gap(x) / due;
    if (std::abs(seen - 1) <= 4 * claim.rounding) continue;
    if (std::abs(seen - 1) > std::abs(ratio - 1)) ratio = seen;
  }
  const auto product = [&](double p) { return p * (1 - p) / (ratio * ratio); };
  const Interval near{std::max(0.0, claim.rate - delta),
                      std::min(1.0, claim.rate + delta)};
  double low = std::min(product(near.lower), product(near.upper));
  // The variance is largest at one half.
  double high = product(std::clamp(0.5, near.lower, near.upper));
  low *= 1 - 8 * claim.rounding;
  high *= 1 + 8 * claim.rounding;
  if (low > 0.25) return {};
  const Interval below{lower_root(low), lower_root(high)};
  if (below.upper >= 0.5) return {{below.lower, 1 - below.lower}};
  return {below, {1 - below.upper, 1 - below.lower}};
}

bool inside_one(const Interval& interval, const std::vector<Interval>& sets) {
  return std::any_of(sets.begin(), sets.end(), [&](const Interval& set) {
    return interval.lower >= set.lower && interval.upper <= set.upper;
  });
}

/// One tap: e-values of both claims, and whether both are certified.
struct TapMomentsEvidence {
  double log_mean_e = 0;
  double log_variance_e = 0;
  bool certified = false;
};

TapMomentsEvidence tap_evidence(const TapClaim& claim,
                                const stats::Counts& counts, double delta,
                                double level) {
  const double declared = std::ldexp(1.0, -24);
  TapMomentsEvidence result;
  result.log_mean_e =
      log_e_outside(counts, claim.rate, mean_rates(claim, declared));
  result.log_variance_e =
      log_e_outside(counts, claim.rate, variance_rates(claim, declared));
  const Interval rates = stats::confidence_sequence(
      counts, promised_prior(claim.rate, static_cast<double>(counts.n)), level);
  result.certified = inside_one(rates, mean_rates(claim, delta)) &&
                     inside_one(rates, variance_rates(claim, delta));
  return result;
}

/// The coefficient of h must not be random: -1, or the tap where it is.
std::ptrdiff_t random_residual(const NetworkEvidence& evidence) {
  for (std::size_t tap = 0; tap < evidence.taps(); ++tap) {
    const TapReader& reader = evidence.readers[tap];
    const stats::Counts& counts = evidence.tally.taps[tap].rate;
    const bool differs =
        std::abs(reader.kept().residual - reader.dropped().residual) > 1e-3;
    if (differs && counts.drops > 0 && counts.drops < counts.n) {
      return static_cast<std::ptrdiff_t>(tap);
    }
  }
  return -1;
}

struct Evaluated {
  std::vector<double> means;
  std::vector<double> variances;
  bool certified = true;
};

/// Speaks of the mean where that alone is enough.
std::string sentence(const NetworkEvidence& evidence, const Evaluated& all,
                     double threshold) {
  const double mean = pooled_log_e(all.means);
  const bool by_mean = mean >= threshold || mean >= pooled_log_e(all.variances);
  const std::size_t tap = largest_index(by_mean ? all.means : all.variances);
  const TapReader& reader = evidence.readers[tap];
  const TapMap seen{reader.kept(), reader.dropped()};
  const TapMap due{reader.due_kept(), reader.due_dropped()};
  const double observed = rate_of(evidence.tally.taps[tap].rate);
  const double promised = evidence.plan.rates[tap];
  const char* what = reader.due_kept().residual != 0 ? "h + " : "";
  if (by_mean) {
    return fmt::format(
        "in {}, the mean of out given h is {}{:.4g} * branch(h), not {}{:.4g} "
        "* branch(h)",
        evidence.tap_name(tap), what, seen.slope(observed), what,
        due.slope(promised));
  }
  const auto variance = [](const TapMap& map, double p) {
    return p * (1 - p) * map.gap(1) * map.gap(1);
  };
  return fmt::format(
      "in {}, the variance of out where branch(h) = 1 is {:.4g}, not {:.4g}",
      evidence.tap_name(tap), variance(seen, observed),
      variance(due, promised));
}

/// What the sample affords at the tap that is hardest to bound.
double tolerance(const NetworkPlan& plan, double level) {
  double distance = 0;
  for (const double rate : plan.rates) {
    distance =
        std::max(distance, certified_distance(rate, plan.tap_n(), level));
  }
  return two_digits(1.05 * distance);
}

Finding check_block_moments(const Context& context) {
  Finding finding = start_network_finding(context, "block_moments");
  const NetworkEvidence& evidence = *context.network;
  const std::ptrdiff_t random = random_residual(evidence);
  if (random >= 0) {
    const auto tap = static_cast<std::size_t>(random);
    refute(finding, fmt::format("in {}, the residual is part of what is "
                                "random: {} where kept, {} where dropped",
                                evidence.tap_name(tap),
                                evidence.readers[tap].kept().formula(),
                                evidence.readers[tap].dropped().formula()));
    return finding;
  }
  if (undecidable(finding, evidence)) return finding;
  const double level = std::log(static_cast<double>(evidence.taps())) -
                       std::log(context.settings.alpha);
  const double delta = tolerance(evidence.plan, level);
  const double rounding =
      std::ldexp(2.0, -impl::significand_bits(context.config().dtype));
  Evaluated all;
  for (std::size_t tap = 0; tap < evidence.taps(); ++tap) {
    const TapReader& reader = evidence.readers[tap];
    const TapClaim claim{{reader.due_kept(), reader.due_dropped()},
                         {reader.kept(), reader.dropped()},
                         evidence.plan.rates[tap],
                         rounding};
    const TapMomentsEvidence one =
        tap_evidence(claim, evidence.tally.taps[tap].rate, delta, level);
    all.means.push_back(one.log_mean_e);
    all.variances.push_back(one.log_variance_e);
    all.certified = all.certified && one.certified;
  }
  if (refute_by_e_value(
          finding, context,
          log_mean({pooled_log_e(all.means), pooled_log_e(all.variances)}),
          sentence(evidence, all, context.log_threshold("block_moments")))) {
    return finding;
  }
  if (all.certified) {
    certify(finding,
            evidence.law().residual
                ? "E[out | h] = h + branch(h), and the variance is the law's"
                : "mean and variance of out are the law's",
            fmt::format("given independent decisions, both as if the drop rate "
                        "were off by at most {:.2g} at each of {} taps; wrong "
                        "with probability at most {}",
                        delta, evidence.taps(),
                        number_text(context.settings.alpha)));
  } else {
    leave_open(finding,
               "too few decisions to bound mean and variance of every block");
  }
  return finding;
}

void plan_block_moments(const PlannedConfiguration& planned, const Settings&,
                        double threshold, PlannedCheck& check) {
  const NetworkPlan plan = make_network_plan(planned);
  const double taps = static_cast<double>(plan.rates.size());
  check.expected_n = check.worst_n = plan.tap_n() * taps;
  check.shares_masks = true;
  const double p = planned.config.drop_probability;
  const double rate = detectable_z(threshold + std::log(4 * taps),
                                   mixture_overhead(plan.tap_n())) *
                      std::sqrt(p * (1 - p) / plan.tap_n());
  check.detectable_effect = two_digits(rate / (1 - p));
  check.detectable = fmt::format(
      "a mean of the last block that is off by {:.2g} of its branch",
      check.detectable_effect);
}

}  // namespace

constinit const CheckDefinition block_moments_check{
    .info =
        {"block_moments", Evidence::kStatistical,
         "E[out | h] = h + branch(h), and the variance is the law's",
         "Mean and variance of what a block adds are exact functions of its "
         "drop rate and of the kept and dropped mixtures, which are known. The "
         "rates at which they are right form intervals: their e-values decide, "
         "pooled over all taps. Where the residual itself is dropped or scaled "
         "at random, one kept and one dropped unit refute.",
         kByEValue, "faulty:vit_no_scale"},
    .from_calls = check_block_moments,
    .reads_masks = false,
    .of_networks = true,
    .plan = plan_block_moments};

}  // namespace dropcheck::properties
