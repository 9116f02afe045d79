// distribution: the factors of gaussian dropout follow N(1, drop / keep).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <mutex>
#include <numbers>
#include <vector>

#include "check_definition.hpp"
#include "context.hpp"
#include "detection.hpp"
#include "dropcheck/impl/load_all.hpp"
#include "dropcheck/properties/number_text.hpp"
#include "dropcheck/stats/beta_binomial.hpp"
#include "dropcheck/stats/normal_law.hpp"
#include "factor_cells.hpp"
#include "law_reading.hpp"
#include "own_calls.hpp"
#include "plan_sizes.hpp"
#include "structure_evidence.hpp"

namespace dropcheck::properties {
namespace {

/// n delta^2 after which every part is certified but for a chance of 1e-9:
/// a distribution function at its median needs 180 / 4, with room for 63
/// edges; the mean then has 2 delta standard deviations, the variance 3 delta.
constexpr double kTime = 55;
/// One sum and one sum of squares with a prior for the planned n.
constexpr double kPriorShare = 45;

struct Sizes {
  double delta = 0;
  std::int64_t calls_per_block = 1;
  std::int64_t blocks = 1;
};

Sizes sizes_of(const PlannedConfiguration& planned, const Settings& settings) {
  const auto elements = static_cast<double>(impl::element_count(planned.shape));
  // A fortieth of what the profile affords for the whole configuration.
  const double affordable = budget_of(settings.profile).elements / 40;
  Sizes sizes;
  sizes.delta = std::max(planned.delta, std::sqrt(kTime / affordable));
  const double needed = kTime / (sizes.delta * sizes.delta);
  sizes.calls_per_block = std::max<std::int64_t>(
      1, static_cast<std::int64_t>(std::ceil(65536 / elements)));
  sizes.blocks = static_cast<std::int64_t>(std::ceil(
      needed / elements / static_cast<double>(sizes.calls_per_block)));
  return sizes;
}

FactorTally count_factors(const Context& context, const FactorCells& law,
                          const Sizes& sizes) {
  FactorTally all;
  std::mutex mutex;
  const std::vector<double> inputs = values_of(context.inputs.base.view());
  draw_own_calls(
      context, context.experiment, context.inputs,
      {Stream::kFactors, sizes.blocks, sizes.calls_per_block},
      [&](std::uint64_t, const impl::TensorView& stacked) {
        FactorTally tally;
        const std::size_t bytes = inputs.size() * impl::size_of(stacked.dtype);
        const auto* values = static_cast<const std::byte*>(stacked.data);
        std::vector<double> results(inputs.size());
        for (std::int64_t i = 0; i < sizes.calls_per_block; ++i) {
          impl::load_all(values, stacked.dtype, results.size(), results.data());
          tally.add_all(law, results, inputs.data());
          values += bytes;
        }
        const std::lock_guard lock(mutex);
        all.merge(tally);
      });
  return all;
}

/// Evidence of the cells, of the mean and of the variance.
struct Evidence3 {
  double cells;
  double mean;
  double variance;
  std::vector<double> logs() const { return {cells, mean, variance}; }
};

Evidence3 evidence_of(const FactorTally& tally, const FactorCells& law) {
  const auto n = static_cast<double>(tally.n);
  const std::vector<double> theta(FactorCells::kCells,
                                  1.0 / FactorCells::kCells);
  // n / kappa for 63 degrees of freedom: STATISTICS 2.b F2.
  return {
      stats::log_banded_multinomial_e_value(tally.cells, theta, law.band(),
                                            n / 1.8),
      stats::log_normal_mean_e_value(tally.possible_sum(), n, n / kPriorShare),
      stats::log_normal_variance_e_value(tally.possible_squares(), n,
                                         n / kPriorShare)};
}

/// Spread of the values of one range of |x| in the calibration.
struct Spread {
  double factor = 0;  ///< mean of (y / x - 1)^2
  double noise = 0;   ///< mean of (y - x)^2
};

Spread spread_of(const Context& context, bool large) {
  Spread spread;
  double n = 0;
  for (const impl::Tensor& output : context.calibration) {
    const impl::TensorView view = output.view();
    for (std::int64_t i = 0; i < view.size(); ++i) {
      const double x = context.reader->base(static_cast<std::size_t>(i));
      if ((std::abs(x) >= 1) != large) continue;
      const double noise = view.value(i) - x;
      spread.noise += noise * noise;
      spread.factor += noise * noise / (x * x);
      n += 1;
    }
  }
  return {spread.factor / n, spread.noise / n};
}

/// How the factors of the calibration lie, in standard deviations of their own.
struct Shape {
  double largest = 0;      ///< of |t|, in those of the law
  double own_largest = 0;  ///< in its own
  double at_the_end = 0;   ///< share of those within 0.1 % of it
  double skewness = 0;
  double kurtosis = 0;
  double n = 0;
};

Shape shape_of(const Context& context) {
  const double deviation = impl::noise_deviation(context.config());
  std::vector<double> all;
  for (const impl::Tensor& output : context.calibration) {
    const impl::TensorView view = output.view();
    for (std::int64_t i = 0; i < view.size(); ++i) {
      const double x = context.reader->base(static_cast<std::size_t>(i));
      const double t = (view.value(i) / x - 1) / deviation;
      if (std::isfinite(t)) all.push_back(t);
    }
  }
  Shape shape;
  shape.n = static_cast<double>(all.size());
  double mean = 0;
  for (const double t : all) mean += t / shape.n;
  double m2 = 0;
  double m3 = 0;
  double m4 = 0;
  for (const double t : all) {
    const double off = t - mean;
    shape.largest = std::max(shape.largest, std::abs(t));
    m2 += off * off / shape.n;
    m3 += off * off * off / shape.n;
    m4 += off * off * off * off / shape.n;
  }
  for (const double t : all) {
    if (std::abs(t) > 0.999 * shape.largest) shape.at_the_end += 1 / shape.n;
  }
  shape.own_largest = shape.largest / std::sqrt(m2);
  shape.skewness = m3 / std::pow(m2, 1.5);
  shape.kurtosis = m4 / (m2 * m2);
  return shape;
}

/// Another law than the normal one; empty if the factors look normal.
std::string other_law(const Shape& shape) {
  // Fewer than e^-40 of normal samples of this size stay within 3.2.
  const bool short_tails = shape.n > 16000 && shape.own_largest < 3.2;
  if (short_tails && shape.kurtosis < 1.1) {
    return "the noise has two values only";
  }
  if (short_tails && shape.at_the_end > 0.005) {
    return fmt::format("the noise is clipped at {:.3g} standard deviations",
                       shape.largest);
  }
  if (short_tails && std::abs(shape.kurtosis - 1.8) < 0.1) {
    return "the noise looks uniform instead of normal";
  }
  if (short_tails && std::abs(shape.kurtosis - 2.4) < 0.1) {
    return "the noise looks triangular instead of normal, as a sum of two "
           "uniform numbers";
  }
  if (short_tails) {
    return fmt::format("the noise is cut off at {:.3g} standard deviations",
                       shape.largest);
  }
  // Six standard errors of samples of this size, and more.
  const double spread = 6 * std::sqrt(24 / shape.n) + 0.1;
  if (std::abs(shape.skewness) > spread) {
    return fmt::format(
        "the noise is not symmetric (skewness {:.2g}), as a log-normal or "
        "exponential one",
        shape.skewness);
  }
  if (std::abs(shape.kurtosis - 6) < 0.6) {
    return "the noise looks like Laplace's instead of normal";
  }
  if (shape.kurtosis > 3 + spread) {
    return fmt::format(
        "the noise has heavier tails than normal (kurtosis "
        "{:.2g})",
        shape.kurtosis);
  }
  if (shape.kurtosis < 3 - spread) {
    return fmt::format(
        "the noise has lighter tails than normal (kurtosis "
        "{:.2g})",
        shape.kurtosis);
  }
  return {};
}

/// A well-known cause of a wrong spread, for the words only.
std::string cause_of(const Context& context, const FactorTally& tally,
                     double variance) {
  const double p = context.config().drop_probability;
  const double q = 1 - p;
  const Spread small = spread_of(context, false);
  const Spread large = spread_of(context, true);
  if (small.factor > 3 * large.factor &&
      std::abs(std::log(large.noise / small.noise)) < 0.3) {
    return ": the noise does not grow with the input, it looks added instead "
           "of multiplied";
  }
  const std::string law = other_law(shape_of(context));
  if (!law.empty()) return ": " + law;
  const auto is = [&](double other) {
    const double error = 6 * std::sqrt(2 / static_cast<double>(tally.n));
    return std::abs(variance / (other * q / p) - 1) < error + 1e-2;
  };
  if (is(p)) {
    return fmt::format(
        ": looks like a variance of {:.6g}, the drop probability, instead of "
        "drop / keep",
        p);
  }
  if (is(p / q * p / q)) {
    return ": looks like drop / keep taken for the standard deviation";
  }
  if (is(q / p)) return ": looks like keep and drop swapped";
  if (is(p * q)) return ": looks like a variance of drop * keep";
  if (is(std::sqrt(p / q))) {
    return ": looks like sqrt(drop / keep) taken for the variance, and its "
           "root "
           "for the deviation";
  }
  if (is(p * p)) return ": looks like drop taken for the standard deviation";
  if (is(1 / q)) return ": looks like a variance of 1 / keep";
  if (is(1)) return ": looks like a variance of 1, whatever drop is";
  return "";
}

double tail_share(const FactorTally& tally) {
  const double outer = static_cast<double>(tally.cells.front()) +
                       static_cast<double>(tally.cells.back());
  return outer / static_cast<double>(tally.n);
}

std::string sentence_of(const Context& context, const FactorTally& tally,
                        const Evidence3& evidence) {
  const auto n = static_cast<double>(tally.n);
  const double deviation = impl::noise_deviation(context.config());
  const stats::Interval squares = tally.possible_squares();
  const double variance = (squares.lower + squares.upper) / 2 / n;
  const double mean =
      static_cast<double>(tally.sum) / (1 << FactorTally::kFractionBits) / n;
  const std::string cause = cause_of(context, tally, variance);
  const bool scale = evidence.variance > evidence.cells;
  if (scale) {
    return fmt::format(
        "the factor y / x has {:.4g} times the variance of N(1, {:.6g}){}",
        variance, deviation * deviation, cause);
  }
  if (evidence.mean > evidence.cells) {
    return fmt::format("the factor y / x has the mean {:.6g}, not 1",
                       1 + deviation * mean);
  }
  return fmt::format(
      "the factor y / x does not follow N(1, {:.6g}): {:.4g} of all lie in the "
      "outermost of 64 cells, where {:.4g} are due, at {:.4g} times its "
      "variance{}",
      deviation * deviation, tail_share(tally), 2.0 / FactorCells::kCells,
      variance, cause);
}

/// Whether P(factor <= edge) is within delta of the law at every edge.
bool certified_cells(const Context& context, const FactorTally& tally,
                     const FactorCells& law, double delta) {
  std::uint64_t below = 0;
  for (std::size_t j = 0; j + 1 < FactorCells::kCells; ++j) {
    below += tally.cells[j];
    const double p = static_cast<double>(j + 1) / FactorCells::kCells;
    const stats::Interval seen = stats::confidence_sequence(
        {below, tally.n},
        stats::prior_around(p, stats::recommended_kappa(p, delta)),
        -std::log(context.settings.alpha));
    const stats::Interval due = law.cumulative()[j];
    if (seen.lower < due.lower - delta || seen.upper > due.upper + delta) {
      return false;
    }
  }
  return true;
}

/// The widest errors of mean and variance that certify: rounding comes on top.
bool certified_moments(const Context& context, const FactorTally& tally,
                       double delta) {
  const auto n = static_cast<double>(tally.n);
  const double level = -std::log(context.settings.alpha);
  const stats::Interval sum = tally.possible_sum();
  const stats::Interval squares = tally.possible_squares();
  const stats::Interval mean =
      stats::normal_mean_interval(sum, n, n / kPriorShare, level);
  const stats::Interval variance =
      stats::normal_variance_interval(squares, n, n / kPriorShare, level);
  const double mean_room = 2 * delta + (sum.upper - sum.lower) / n;
  const double variance_room =
      3 * delta + 1.5 * (squares.upper - squares.lower) / n;
  return mean.lower >= -mean_room && mean.upper <= mean_room &&
         variance.lower >= 1 - variance_room &&
         variance.upper <= 1 + variance_room;
}

Finding check_distribution(const Context& context) {
  Finding finding = start_finding(context, "distribution");
  const FactorCells law(context.config());
  const Sizes sizes = sizes_of(context.plan, context.settings);
  const FactorTally tally = count_factors(context, law, sizes);
  finding.n = tally.n;
  finding.calls =
      static_cast<std::uint64_t>(sizes.blocks * sizes.calls_per_block);
  finding.quantity = "variance of y / x over drop / keep";
  finding.expected = 1;
  if (tally.no_number > 0) {
    refute(finding, fmt::format("{} of {} results are no numbers",
                                tally.no_number, tally.n));
    return finding;
  }
  const auto n = static_cast<double>(tally.n);
  const stats::Interval squares = tally.possible_squares();
  finding.observed = (squares.lower + squares.upper) / 2 / n;
  const Evidence3 evidence = evidence_of(tally, law);
  const double level = context.log_threshold("distribution");
  const stats::Interval variance =
      stats::normal_variance_interval(squares, n, n / kPriorShare, level);
  finding.interval_lower = variance.lower;
  finding.interval_upper = variance.upper;
  if (refute_by_e_value(finding, context, log_mean(evidence.logs()),
                        sentence_of(context, tally, evidence))) {
    return finding;
  }
  if (!certified_cells(context, tally, law, sizes.delta) ||
      !certified_moments(context, tally, sizes.delta)) {
    leave_open(
        finding,
        fmt::format(
            "the law of y / x is not known within {:.2g} after {} values",
            sizes.delta, tally.n));
    return finding;
  }
  certify(
      finding,
      fmt::format("the factor y / x follows N(1, {:.6g})",
                  law.deviation() * law.deviation()),
      fmt::format(
          "given independent units, its distribution function lies within {0} "
          "of the law at 63 points; given a normal law, its mean within {1} "
          "standard deviations of 1 and its variance within {2} %; up to "
          "rounding to {3}; each wrong with probability at most {4}",
          number_text(two_digits(sizes.delta)),
          number_text(two_digits(2 * sizes.delta)),
          number_text(two_digits(300 * sizes.delta)),
          impl::name_of(context.config().dtype),
          number_text(context.settings.alpha)));
  return finding;
}

std::string_view only_for_noise(const impl::Law& law) {
  return law.factor == impl::Factor::kNormal
             ? ""
             : "values are kept or dropped: support and drop_rate decide";
}

void plan_distribution(const PlannedConfiguration& planned,
                       const Settings& settings, double threshold,
                       PlannedCheck& check) {
  const Sizes sizes = sizes_of(planned, settings);
  check.elements = static_cast<double>(sizes.blocks * sizes.calls_per_block *
                                       impl::element_count(planned.shape));
  check.expected_n = check.worst_n = check.elements;
  // A variance off by v shifts ln E of the sum of squares by n v^2 / 4.
  check.detectable_effect = two_digits(
      detectable_z(threshold + std::log(3), mixture_overhead(check.elements)) *
      std::sqrt(2 / check.elements));
  check.detectable = fmt::format("a variance of y / x off by {:.2g} %",
                                 100 * check.detectable_effect);
}

}  // namespace

constinit const CheckDefinition distribution_check{
    .info = {"distribution", Evidence::kStatistical,
             "gaussian dropout: y / x follows N(1, drop / keep)",
             "Factors y / x are counted in 64 cells of equal probability, and "
             "their sum and sum of squares are taken in fixed point. Three "
             "e-values are averaged: Dirichlet-multinomial cells over the "
             "largest likelihood that rounding to the dtype allows, a normal "
             "mixture for the mean and a gamma mixture for the variance, each "
             "at the point that rounding leaves nearest to the law.",
             kByEValue, "faulty:gaussian_noise_added"},
    .from_calls = check_distribution,
    .not_applicable = only_for_noise,
    .plan = plan_distribution};

}  // namespace dropcheck::properties
