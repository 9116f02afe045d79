#include "plan_sizes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "detection.hpp"
#include "dropcheck/stats/look_schedule.hpp"
#include "generated_plan.hpp"
#include "network_plan.hpp"

namespace dropcheck::properties {

Budget budget_of(Profile profile) {
  switch (profile) {
    case Profile::kSmoke:
      return {1e-2, 5e-2, 1.5e5, 4e7};
    case Profile::kPr:
      return {5e-4, 5e-3, 6.5e5, 4e8};
    case Profile::kNightly:
      return {5e-5, 5e-4, 6.5e7, 2e11};
    case Profile::kExhaustive:
      return {2e-6, 5e-4, 6.5e7, 2e14};
  }
  return {};
}

namespace {

/// Normalised time within which a context of the structure checks is certified
/// but for a chance of 1e-9; more than the 180 of a rate, because margins are
/// wide against p and sixteen classes share the wish.
constexpr double kContextTime = 220;

/// The contexts after the rarer outcome may take so much more than is afforded:
/// else a right layer of one unit a call stays open at p = 0.05.
constexpr double kRareContexts = 2.5;

double smaller_side(double p) { return std::min(p, 1 - p); }

bool testable(double p) { return p > 0 && p < 1; }

/// Units that the profile affords for a configuration.
double affordable_units(const Budget& budget, double units, double elements) {
  return units * std::min(budget.calls, budget.elements / elements);
}

/// Calls with fewer decisions get the tolerance that they can afford.
constexpr double kManyUnits = 64;

/// Lags reach half of a row, or half of a block of calls: only half of the
/// units are pairs of the longest ones.
constexpr double kLongestLag = 0.5;

/// Units within which contexts are certified at a margin, also those after the
/// rarer outcome at the longest lag.
double context_units(double p, double margin) {
  const double context_n = kContextTime * p * (1 - p) / (margin * margin);
  return std::max(kSegments * context_n,
                  context_n / smaller_side(p) / kLongestLag);
}

double affordable_margin(const Budget& budget, double p, double affordable) {
  return std::min(std::max(budget.margin, std::sqrt(kSegments * kContextTime *
                                                    p * (1 - p) / affordable)),
                  smaller_side(p) / 2);
}

/// Whether every certificate of a rate and of contexts is to be had, but for a
/// chance of 1e-9, before the largest integers are reached.
bool decidable(const Budget& budget, double p, double affordable) {
  if (smaller_side(p) < kSmallestProbability) return false;
  const double delta =
      std::min(std::max(budget.delta, stats::affordable_delta(p, affordable)),
               smaller_side(p) / 5);
  const double margin = affordable_margin(budget, p, affordable);
  // The last bits of a quotient decide nothing.
  const double enough = 1.001 * affordable;
  return 180 * p * (1 - p) / (delta * delta) <= enough &&
         context_units(p, margin) <= kRareContexts * enough;
}

void refuse_wide_tolerance(double p, double delta, double limit) {
  if (delta <= limit) return;
  throw std::domain_error(fmt::format(
      "delta is {:g}, but for a drop probability of {:g} it may be at most "
      "{:g}, "
      "a fifth of min(p, 1 - p): wider ones would certify a layer that is "
      "grossly wrong",
      delta, p, limit));
}

void refuse_endless_sample(double p, double delta) {
  const double decisions = 180 * p * (1 - p) / (delta * delta);
  if (decisions < 0x1p63) return;
  throw std::domain_error(fmt::format(
      "delta is {:g}, but for a drop probability of {:g} it takes {:.2g} "
      "decisions, and may take at most 2^63: delta must be at least {:.2g}",
      delta, p, decisions, std::sqrt(181 * p * (1 - p) / 0x1p63)));
}

}  // namespace

void plan_sizes(PlannedConfiguration& planned, const Settings& settings) {
  if (planned.law->network != nullptr) {
    plan_network_sizes(planned, settings);
    return;
  }
  const Budget budget =
      planned.generated ? generated_budget() : budget_of(settings.profile);
  const impl::Shape output =
      impl::output_shape(*planned.law, planned.config, planned.shape);
  const auto elements = static_cast<double>(impl::element_count(output));
  planned.units_per_call = impl::element_count(
      impl::unit_shape(*planned.law, planned.config, output));
  if (!testable(planned.config.drop_probability)) return;
  planned.rate =
      impl::unit_drop_probability(*planned.law, planned.config, output);
  const double p = planned.rate;
  // Axes of extent 0 may be shared: units without an element show nothing.
  if (!testable(p) || planned.units_per_call == 0 || elements == 0) return;
  const auto units = static_cast<double>(planned.units_per_call);
  const double affordable = affordable_units(budget, units, elements);
  if (planned.generated) {
    planned.note = unreadable(planned);
    if (!planned.note.empty()) return;
    if (!decidable(budget, p, affordable)) {
      planned.note = fmt::format(
          "{:.2g} units decide nothing about a drop probability of {:.2g}",
          affordable, p);
      plan_values_only(planned);
      return;
    }
  }
  const double asked = settings.delta.value_or(budget.delta);
  const double limit = smaller_side(p) / 5;
  if (settings.delta) refuse_wide_tolerance(p, *settings.delta, limit);
  // A tolerance that is asked for is kept, whatever it costs; only where a call
  // has few decisions nobody could wait for it.
  const bool kept = settings.delta && units >= kManyUnits;
  if (kept) refuse_endless_sample(p, asked);
  planned.delta =
      kept ? asked
           : std::min(std::max(asked, stats::affordable_delta(p, affordable)),
                      limit);
  if (planned.delta > asked * 1.001) {
    planned.note = fmt::format(
        "tolerance {:.2g} instead of {:.2g}: {} unit{} a call", planned.delta,
        asked, planned.units_per_call, planned.units_per_call == 1 ? "" : "s");
  } else if (planned.delta < asked * 0.999) {
    planned.note = fmt::format("tolerance {:.2g}, a fifth of min(p, 1 - p)",
                               planned.delta);
  }
  const double n_max =
      static_cast<double>(stats::n_max(p, planned.delta, settings.alpha));
  if (!kept && n_max > 1.01 * affordable) {
    planned.note = fmt::format(
        "the profile affords {:.2g} of the {:.2g} units that a certificate at "
        "this drop probability may need: it may stay inconclusive",
        affordable, n_max);
  }
  planned.rate_n_max = static_cast<std::uint64_t>(
      std::max(1.0, kept ? n_max : std::min(n_max, affordable)));
  planned.margin = affordable_margin(budget, p, affordable);
  const double needed = context_units(p, planned.margin);
  planned.structure_n = static_cast<std::uint64_t>(
      std::max(1.0, std::min(needed, kRareContexts * affordable)));
}

std::int64_t block_calls(const PlannedConfiguration& planned) {
  if (planned.law->network != nullptr) return planned.calls_per_block;
  if (planned.delta <= 0) return 1;
  const std::int64_t units = planned.units_per_call;
  if (planned.values_only) {
    const std::int64_t elements = impl::element_count(planned.shape);
    return std::clamp<std::int64_t>(65536 / std::max<std::int64_t>(elements, 1),
                                    1, 16);
  }
  if (units < 64) {
    const auto row =
        std::clamp(static_cast<std::int64_t>(planned.structure_n / 16),
                   std::int64_t{512}, std::int64_t{4096});
    return (row + units - 1) / units;
  }
  const double expected = stats::expected_n(planned.rate, planned.delta);
  const std::int64_t most =
      std::max<std::int64_t>(16, (std::int64_t{1} << 20) / units);
  const std::int64_t calls = std::clamp<std::int64_t>(
      static_cast<std::int64_t>(expected / 100) / units, 16, most);
  return calls / 16 * 16;
}

}  // namespace dropcheck::properties
