#include "long_stream_plan.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>

#include "dropcheck/stats/granularity.hpp"
#include "shapes.hpp"

namespace dropcheck::properties {
namespace {

constexpr std::int64_t power(int exponent) {
  return std::int64_t{1} << exponent;
}

/// What a profile asks for.
struct Amount {
  std::int64_t decisions;
  std::int64_t calls;          ///< at most
  std::int64_t call_units;     ///< about
  std::int64_t lag_decisions;  ///< that are correlated
  std::int64_t lag_blocks;
  std::int64_t head;  ///< decisions whose every window is kept
  std::int64_t run;   ///< decisions that are found wherever they return
  std::int64_t masks;
  double seconds;  ///< at most, of the layer
};

/// 16,383 and 65,535 have many divisors, so that every law has a shape of so
/// many units; neither is a multiple of 64.
Amount amount_of(Profile profile) {
  switch (profile) {
    case Profile::kSmoke:
      return {.decisions = power(20),
              .calls = power(16),
              .call_units = 16383,
              .lag_decisions = power(20),
              .lag_blocks = 2,
              .head = power(14),
              .run = power(12),
              .masks = power(11),
              .seconds = 1};
    case Profile::kPr:
      return {.decisions = power(28),
              .calls = power(19),
              .call_units = 65535,
              .lag_decisions = 20 * power(20),
              .lag_blocks = 16,
              .head = power(17),
              .run = power(16),
              .masks = power(17),
              .seconds = 2};
    case Profile::kNightly:
    case Profile::kExhaustive:
      return {.decisions = power(33),
              .calls = power(23),
              .call_units = 65535,
              .lag_decisions = power(26),
              .lag_blocks = 32,
              .head = power(17),
              .run = power(20),
              .masks = power(19),
              .seconds = 900};
  }
  return {};
}

constexpr std::int64_t kBlockBits = power(16);
constexpr std::int64_t kLongestWindow = 4096;
/// Has many divisors; a mask of so many units tells itself from 10^5 others.
constexpr std::int64_t kMaskUnits = 525;

struct Extent {
  std::int64_t units;
  std::int64_t elements;
};

Extent extent_of(const PlannedConfiguration& planned,
                 const impl::Shape& shape) {
  const impl::Shape output =
      impl::output_shape(*planned.law, planned.config, shape);
  return {impl::element_count(
              impl::unit_shape(*planned.law, planned.config, output)),
          impl::element_count(output)};
}

impl::Shape shape_of(const PlannedConfiguration& planned, std::int64_t units) {
  return planned.own_shape
             ? planned.shape
             : shape_of_units(*planned.law, planned.config, units);
}

/// Calls that the profile asks for, of a shape.
std::int64_t calls_for(const Extent& extent, const Amount& amount) {
  const std::int64_t elements = std::max(extent.units, extent.elements);
  const std::int64_t calls = (amount.decisions + elements - 1) / elements;
  return std::clamp<std::int64_t>(calls, 16, amount.calls);
}

/// Attention weights are dear, at any speed of the subject.
Amount affordable_amount(const PlannedConfiguration& planned, Profile profile) {
  Amount amount = amount_of(profile);
  const impl::Law& law = *planned.law;
  const bool scores =
      law.base == impl::Base::kEvaluation && law.minimum_rank >= 2;
  if (scores) amount.decisions /= 4;
  return amount;
}

void plan_lags(LongStreamPlan& plan, const Amount& amount) {
  const std::int64_t decisions =
      std::min(plan.decisions(), amount.lag_decisions);
  plan.block_bits = std::clamp<std::int64_t>(
      static_cast<std::int64_t>(
          std::bit_floor(static_cast<std::uint64_t>(decisions / 8))),
      64, kBlockBits);
  plan.blocks = decisions / plan.block_bits;
  plan.lag_blocks =
      std::min(amount.lag_blocks, std::max<std::int64_t>(1, plan.blocks / 2));
}

/// `amount.decisions` are those that are affordable here.
void plan_masks(LongStreamPlan& plan, const PlannedConfiguration& planned,
                const Amount& amount, double threshold) {
  const double p0 = planned.config.drop_probability;
  const double log_pairs =
      2 * std::log(static_cast<double>(amount.masks)) - std::numbers::ln2;
  const auto telling = static_cast<std::int64_t>(
      stats::overlap_window_bits(log_pairs, threshold, p0));
  if (telling > kLongestWindow) return;
  plan.mask_shape = shape_of(planned, std::max(kMaskUnits, telling));
  const Extent extent = extent_of(planned, plan.mask_shape);
  if (extent.units < telling) return;
  plan.mask_units = extent.units;
  // A quarter of the long sequence, or all of it where it is short.
  const std::int64_t most =
      std::min(amount.decisions, std::max(amount.decisions / 4, power(21)));
  plan.masks = std::min(amount.masks, most / extent.elements);
}

}  // namespace

LongStreamPlan make_long_stream_plan(const PlannedConfiguration& planned,
                                     Profile profile, double threshold,
                                     std::uint64_t reduced) {
  Amount amount = affordable_amount(planned, profile);
  const double p0 = planned.config.drop_probability;
  LongStreamPlan plan;
  plan.wanted = amount_of(profile).decisions;
  if (reduced > 0) amount.decisions = static_cast<std::int64_t>(reduced);
  plan.shape = shape_of(planned, amount.call_units);
  const Extent extent = extent_of(planned, plan.shape);
  plan.units = extent.units;
  plan.calls = calls_for(extent, amount);
  plan_lags(plan, amount);
  // A nat and a half for the parts of the claim.
  const double share = threshold + 1.5;
  const auto repeats = [&](std::int64_t run) {
    plan.run = std::min(run, plan.decisions() / 4);
    plan.repeats =
        RepeatPlan::make(plan.decisions(), amount.head, plan.run, p0, share);
  };
  repeats(amount.run);
  // Rare drops need long windows.
  if (4 * plan.repeats.window > plan.run) repeats(4 * plan.repeats.window);
  if (plan.repeats.window > std::min(kLongestWindow, plan.run / 2)) {
    plan.repeats = {};
    return plan;
  }
  plan_masks(plan, planned, amount, share);
  return plan;
}

std::uint64_t affordable_decisions(const PlannedConfiguration& planned,
                                   Profile profile) {
  Amount amount = affordable_amount(planned, profile);
  const std::int64_t wanted = amount.decisions;
  const Extent extent =
      extent_of(planned, shape_of(planned, amount.call_units));
  // A small call is not much cheaper than the one that was timed.
  const double share = std::max(
      0.1, static_cast<double>(extent.elements) /
               static_cast<double>(impl::element_count(planned.shape)));
  const auto seconds = [&] {
    return planned.seconds_per_call * share *
           static_cast<double>(calls_for(extent, amount));
  };
  while (seconds() > amount.seconds && amount.decisions > power(16)) {
    amount.decisions /= 4;
  }
  return amount.decisions == wanted
             ? 0
             : static_cast<std::uint64_t>(amount.decisions);
}

}  // namespace dropcheck::properties
