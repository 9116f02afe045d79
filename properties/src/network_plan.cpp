#include "network_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "detection.hpp"
#include "dropcheck/stats/binomial_tail.hpp"
#include "dropcheck/stats/context.hpp"
#include "plan_sizes.hpp"

namespace dropcheck::properties {
namespace {

/// Elements of all taps that one configuration may read. A vision transformer
/// takes 60 ns an element in f32, so this is 0.3 s at smoke and 1.3 s at pr.
double affordable_elements(Profile profile) {
  switch (profile) {
    case Profile::kSmoke:
      return 4e6;
    case Profile::kPr:
      return 2e7;
    case Profile::kNightly:
    case Profile::kExhaustive:
      return 2e9;
  }
  return 0;
}

double elements_of(const impl::Extents& extents) {
  double product = 1;
  for (const std::int64_t extent : extents) {
    product *= static_cast<double>(extent);
  }
  return product;
}

void require_sample(const PlannedConfiguration& planned) {
  const impl::NetworkLaw law = impl::network_law(*planned.law, planned.config);
  impl::Shape due{planned.shape.empty() ? 0 : planned.shape[0]};
  due.insert(due.end(), law.sample.begin(), law.sample.end());
  if (planned.shape == due && due[0] >= 1) return;
  throw std::invalid_argument(fmt::format(
      "{} takes the shape (batch, {}), but is given {}", planned.law->layer,
      fmt::join(law.sample, ", "), impl::to_string(planned.shape)));
}

bool is_per_element(const impl::Law& law) {
  return law.unit == impl::Unit::kElement;
}

/// A fresh network for every call where moments over initialisations are
/// asked for; else a few calls in a row, to compare them.
std::int64_t calls_per_block(const impl::NetworkLaw& law) {
  return law.keeps_moments ? 1 : 8;
}

std::vector<std::size_t> doubled(std::int64_t limit) {
  std::vector<std::size_t> lags;
  for (std::int64_t lag = 1; lag <= limit; lag += lag < 4 ? 1 : lag) {
    lags.push_back(static_cast<std::size_t>(lag));
  }
  return lags;
}

}  // namespace

void plan_network_sizes(PlannedConfiguration& planned,
                        const Settings& settings) {
  planned.rate = planned.config.drop_probability;
  require_sample(planned);
  const impl::NetworkLaw law = impl::network_law(*planned.law, planned.config);
  const std::int64_t batch = planned.shape[0];
  const double tap = elements_of(law.tap);
  planned.units_per_call =
      batch *
      (is_per_element(*planned.law) ? static_cast<std::int64_t>(tap) : 1);
  planned.calls_per_block = calls_per_block(law);
  const double p = planned.config.drop_probability;
  if (!(p > 0 && p < 1)) return;
  const double elements = static_cast<double>(law.taps()) * tap *
                          static_cast<double>(batch * planned.calls_per_block);
  const double affordable =
      planned.generated ? 1e6 : affordable_elements(settings.profile);
  const double blocks = std::max(16.0, std::floor(affordable / elements));
  planned.structure_n = planned.rate_n_max =
      static_cast<std::uint64_t>(blocks) *
      static_cast<std::uint64_t>(planned.calls_per_block *
                                 planned.units_per_call);
  const NetworkPlan plan = make_network_plan(planned);
  const double level =
      std::log(static_cast<double>(law.blocks)) - std::log(settings.alpha);
  double distance = 0;
  for (const double rate : plan.rates) {
    distance =
        std::max(distance, certified_distance(rate, plan.block_n(), level));
  }
  planned.delta = two_digits(1.05 * distance);
  planned.margin = planned.delta;
  const double asked =
      settings.delta.value_or(budget_of(settings.profile).delta);
  if (planned.delta > asked) {
    planned.note = fmt::format(
        "tolerance {:.2g} instead of {:.2g} for the rate of a block: {} "
        "decisions a call and drop layer",
        planned.delta, asked, planned.units_per_call);
  }
}

NetworkPlan make_network_plan(const PlannedConfiguration& planned) {
  NetworkPlan plan;
  plan.law = impl::network_law(*planned.law, planned.config);
  plan.units = planned.units_per_call;
  plan.unit_size = static_cast<std::int64_t>(elements_of(plan.law.tap)) *
                   planned.shape[0] / plan.units;
  plan.calls_per_block = calls_per_block(plan.law);
  plan.blocks = planned.structure_n /
                static_cast<std::uint64_t>(plan.units * plan.calls_per_block);
  for (std::size_t tap = 0; tap < plan.law.taps(); ++tap) {
    plan.rates.push_back(impl::scheduled_rate(
        plan.law, planned.config.drop_probability, plan.law.block_of(tap)));
  }
  plan.lags = doubled(plan.units / 2);
  plan.call_lags = doubled(plan.calls_per_block / 2);
  if (plan.law.keeps_moments) {
    for (std::size_t depth = 1; depth <= plan.law.taps(); depth *= 2) {
      plan.depths.push_back(depth - 1);
    }
  }
  return plan;
}

stats::BetaPrior promised_prior(double rate, double n) {
  const double least = std::min(0.5 / n, 0.5);
  return stats::prior_around(std::clamp(rate, least, 1 - least),
                             std::max(1.0, stats::context_kappa(n)));
}

namespace {

/// The number of drops that is passed with probability below 1e-10 on one
/// side; `upper` says on which.
std::uint64_t extreme_drops(double rate, std::uint64_t n, bool upper) {
  const double log_chance = std::log(1e-10);
  std::uint64_t low = 0;
  std::uint64_t high = n;
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    const bool beyond =
        upper ? stats::log_upper_tail(middle + 1, n, rate) < log_chance
              : stats::log_lower_tail(middle, n, rate) >= log_chance;
    (beyond ? high : low) = beyond ? middle : middle + 1;
  }
  return low;
}

}  // namespace

double certified_distance(double rate, double n, double level) {
  const auto count = static_cast<std::uint64_t>(n);
  const stats::BetaPrior prior = promised_prior(rate, n);
  const auto sequence = [&](std::uint64_t drops) {
    return stats::confidence_sequence({drops, count}, prior, level);
  };
  const double above = sequence(extreme_drops(rate, count, true)).upper - rate;
  const double below = rate - sequence(extreme_drops(rate, count, false)).lower;
  return std::max(above, below);
}

}  // namespace dropcheck::properties
