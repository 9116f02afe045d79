// position_rates: where decisions depend on each other, every position still
// has an exact drop rate.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <mutex>

#include "block_causes.hpp"
#include "check_definition.hpp"
#include "context.hpp"
#include "detection.hpp"
#include "dropcheck/impl/block_law.hpp"
#include "dropcheck/properties/number_text.hpp"
#include "dropcheck/stats/beta_binomial.hpp"
#include "dropcheck/stats/context.hpp"
#include "mask_kernels.hpp"
#include "own_calls.hpp"
#include "plan_sizes.hpp"
#include "rate_words.hpp"
#include "shapes.hpp"
#include "structure_evidence.hpp"

namespace dropcheck::properties {
namespace {

/// Normalised time within which each position is certified but for a chance of
/// 1e-9, as for the contexts of the structure checks.
constexpr double kPositionTime = 220;
constexpr std::int64_t kCallsPerBlock = 64;

/// How many independent maps are drawn, and what that certifies.
struct Sizes {
  impl::Shape shape;
  std::int64_t maps_per_call = 0;
  std::int64_t blocks = 0;
  double margin = 0;

  double maps() const {
    return static_cast<double>(maps_per_call * blocks * kCallsPerBlock);
  }
};

double mean_of(const std::vector<double>& map) {
  double sum = 0;
  for (const double rate : map) sum += rate;
  return sum / static_cast<double>(map.size());
}

std::vector<double> map_of(const PlannedConfiguration& planned,
                           const impl::Shape& shape) {
  return impl::block_law(*planned.law, planned.config, shape).drop_map();
}

Sizes sizes_of(const PlannedConfiguration& planned, const Settings& settings) {
  Sizes sizes;
  sizes.shape = structure_shapes(planned).front();
  sizes.maps_per_call = sizes.shape[0];
  if (!planned.config.block.shared_by_channels) {
    sizes.maps_per_call *= sizes.shape[1];
  }
  const std::vector<double> map = map_of(planned, sizes.shape);
  double variance = 0;
  for (const double p : map) variance = std::max(variance, p * (1 - p));
  const Budget budget = budget_of(settings.profile);
  const double mean = mean_of(map);
  const double elements =
      static_cast<double>(impl::element_count(sizes.shape)) /
      static_cast<double>(sizes.maps_per_call);
  // A quarter of what the profile affords for the whole configuration.
  const double affordable = budget.elements / 4 / elements;
  sizes.margin = std::max(std::min(budget.margin, std::min(mean, 1 - mean) / 2),
                          std::sqrt(kPositionTime * variance / affordable));
  const double maps = kPositionTime * variance / (sizes.margin * sizes.margin);
  sizes.blocks = static_cast<std::int64_t>(std::ceil(
      maps / static_cast<double>(sizes.maps_per_call * kCallsPerBlock)));
  return sizes;
}

std::vector<stats::Counts> count_positions(const Context& context,
                                           const Sizes& sizes) {
  Experiment experiment = context.experiment;
  experiment.shape = sizes.shape;
  const Inputs inputs = make_inputs(context.subject(), experiment);
  const auto outputs =
      draw_outputs(context.subject(), experiment, inputs.input,
                   stream_seed(experiment, Stream::kGranularity), 16);
  const MaskReader reader(context.law(), context.config(), inputs.base,
                          outputs);
  const std::size_t elements = reader.size();
  std::vector<std::uint64_t> drops(elements);
  std::mutex mutex;
  const auto bytes = static_cast<std::size_t>(inputs.base.byte_count());
  draw_own_calls(
      context, experiment, inputs,
      {Stream::kPositions, sizes.blocks, kCallsPerBlock},
      [&](std::uint64_t, const impl::TensorView& stacked) {
        std::vector<std::uint64_t> words(elements / 64 + 1);
        std::vector<std::uint16_t> counters(64 * words.size());
        const auto* values = static_cast<const std::byte*>(stacked.data);
        for (std::int64_t i = 0; i < kCallsPerBlock; ++i, values += bytes) {
          reader.read(values, words.data());
          add_bits(words.data(), elements, counters.data());
        }
        const std::lock_guard lock(mutex);
        for (std::size_t i = 0; i < elements; ++i) drops[i] += counters[i];
      });
  // Channels that share a mask count once.
  const bool coupled = context.config().block.shared_by_channels;
  const std::size_t maps =
      static_cast<std::size_t>(sizes.shape[0] * sizes.shape[1]);
  const std::size_t step =
      coupled ? static_cast<std::size_t>(sizes.shape[1]) : 1;
  std::vector<stats::Counts> counts(elements / maps);
  const auto calls = static_cast<std::uint64_t>(sizes.blocks * kCallsPerBlock);
  for (std::size_t m = 0; m < maps; m += step) {
    for (std::size_t i = 0; i < counts.size(); ++i) {
      counts[i] += {drops[m * counts.size() + i], calls};
    }
  }
  return counts;
}

stats::BetaPrior prior_of(double p, double n) {
  return stats::prior_around(p, stats::context_kappa(n));
}

/// ln of the e-value of one position against its rate, within what a layer in
/// f32 can realise.
double log_e_of(const stats::Counts& counts, double p, double slack) {
  const double rate = rate_of(counts);
  return stats::log_martingale(
      counts, prior_of(p, static_cast<double>(counts.n)),
      std::clamp(rate, std::max(0.0, p - slack), std::min(1.0, p + slack)));
}

bool certified(const Context& context, const stats::Counts& counts, double p,
               double margin) {
  const stats::Interval interval = stats::confidence_sequence(
      counts, prior_of(p, static_cast<double>(counts.n)),
      -std::log(context.settings.alpha));
  return interval.lower >= p - margin && interval.upper <= p + margin;
}

/// What the formula for gamma makes of the drop probability that was asked for.
std::string bias_words(const Context& context, const std::vector<double>& map) {
  const double p = context.config().drop_probability;
  const double mean = mean_of(map);
  const auto [least, most] = std::minmax_element(map.begin(), map.end());
  return fmt::format(
      "from {:.4g} to {:.4g} by position, {:.4g} on average where p = {:.6g} "
      "is asked for ({:+.2g} %)",
      *least, *most, mean, p, 100 * (mean / p - 1));
}

Finding check_position_rates(const Context& context) {
  Finding finding = start_finding(context, "position_rates");
  const Sizes sizes = sizes_of(context.plan, context.settings);
  const impl::BlockLaw law =
      impl::block_law(context.law(), context.config(), sizes.shape);
  const std::vector<double> map = law.drop_map();
  const std::vector<stats::Counts> counts = count_positions(context, sizes);
  finding.calls = static_cast<std::uint64_t>(sizes.blocks * kCallsPerBlock);
  finding.n = finding.calls *
              static_cast<std::uint64_t>(impl::element_count(sizes.shape));
  stats::Counts all;
  for (const stats::Counts& position : counts) all += position;
  finding.quantity = "mean drop rate of the map";
  finding.expected = mean_of(map);
  finding.observed = rate_of(all);
  const double slack =
      std::ldexp(static_cast<double>(law.covering_readable()), -24);
  std::vector<double> logs;
  for (std::size_t i = 0; i < map.size(); ++i) {
    logs.push_back(log_e_of(counts[i], map[i], slack));
  }
  const impl::Shape extents(sizes.shape.begin() + 2, sizes.shape.end());
  const std::size_t worst = largest_index(logs);
  const auto cause = cause_of_map(context, extents, counts);
  const std::string sentence = fmt::format(
      "position {} of a map of {} drops at {:.5g} where the law gives "
      "{:.5g}{}{}",
      place_of(static_cast<std::int64_t>(worst), extents),
      impl::to_string(extents), rate_of(counts[worst]), map[worst],
      cause ? ": " : "", cause.value_or(""));
  if (refute_by_e_value(finding, context, log_mean(logs), sentence)) {
    return finding;
  }
  for (std::size_t i = 0; i < map.size(); ++i) {
    if (certified(context, counts[i], map[i], sizes.margin)) continue;
    leave_open(
        finding,
        fmt::format("position {} is not known to drop within {:.2g} of {:.4g}",
                    place_of(static_cast<std::int64_t>(i), extents),
                    sizes.margin, map[i]));
    return finding;
  }
  certify(
      finding,
      fmt::format("every position drops at its exact rate: {}",
                  bias_words(context, map)),
      fmt::format(
          "the drop rate of each of {} positions lies within {} of the exact "
          "one; each such statement is wrong with probability at most {}",
          map.size(), number_text(two_digits(sizes.margin)),
          number_text(context.settings.alpha)));
  return finding;
}

std::string_view no_map(const impl::Law& law) {
  return law.unit == impl::Unit::kBlock
             ? ""
             : "units are independent and have one rate: drop_rate and "
               "homogeneity decide";
}

void plan_position_rates(const PlannedConfiguration& planned,
                         const Settings& settings, double threshold,
                         PlannedCheck& check) {
  const Sizes sizes = sizes_of(planned, settings);
  const std::vector<double> map = map_of(planned, sizes.shape);
  check.elements = static_cast<double>(sizes.blocks * kCallsPerBlock *
                                       impl::element_count(sizes.shape));
  check.expected_n = check.worst_n = check.elements;
  const double mean = mean_of(map);
  check.detectable_effect = two_digits(
      detectable_z(threshold + std::log(static_cast<double>(map.size())),
                   mixture_overhead(sizes.maps())) *
      std::sqrt(mean * (1 - mean) / sizes.maps()));
  check.detectable = fmt::format("a rate off by {:.2g} at any one position",
                                 check.detectable_effect);
}

}  // namespace

constinit const CheckDefinition position_rates_check{
    .info = {"position_rates", Evidence::kStatistical,
             "every position of a map drops at its exact rate, borders and "
             "overlaps included",
             "A position is kept if none of the centres whose blocks cover it "
             "is drawn: its rate is 1 - (1 - gamma)^covering, exactly. Drops "
             "are counted at every position of independent maps and compared "
             "with that by one beta-binomial e-value each, which are averaged. "
             "gamma is what the declared formula gives; that it makes the mean "
             "of the map p to first order only is stated, not refuted.",
             kByEValue, "faulty:block_last_centre_missing"},
    .from_calls = check_position_rates,
    .not_applicable = no_map,
    .plan = plan_position_rates};

}  // namespace dropcheck::properties
