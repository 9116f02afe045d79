#include "seed_plan.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>

#include "dropcheck/stats/granularity.hpp"
#include "shapes.hpp"

namespace dropcheck::properties {
namespace {

/// What a profile asks for.
struct Amount {
  std::int64_t seeds;
  std::int64_t calls;     ///< at most, where a mask needs many of them
  std::int64_t elements;  ///< at most, where a mask has many of them
  std::int64_t bases;
  std::int64_t row_units;
  bool all_flips;
  std::int64_t block_pairs;
  bool all_sizes;
  std::int64_t size_rounds;
  std::int64_t large_calls;
};

Amount amount_of(Profile profile) {
  switch (profile) {
    case Profile::kSmoke:
      return {2048, 1 << 15, 1 << 22, 16, 16385, false, 16, false, 8, 0};
    case Profile::kPr:
      return {16384, 1 << 18, 1 << 27, 128, 65793, true, 64, true, 64, 0};
    case Profile::kNightly:
    case Profile::kExhaustive:
      return {
          420000, 1 << 22, std::int64_t{1} << 33, 4096, 65793, true, 1024, true,
          1024,   16};
  }
  return {};
}

constexpr std::int64_t kLongestMask = 4096;
constexpr std::int64_t kMaskUnits = 525;
constexpr std::int64_t kShortRow = 1024;  ///< where a call has few units

impl::Shape output_of(const PlannedConfiguration& planned,
                      const impl::Shape& shape) {
  return impl::output_shape(*planned.law, planned.config, shape);
}

std::int64_t units_of(const PlannedConfiguration& planned,
                      const impl::Shape& shape) {
  return impl::element_count(impl::unit_shape(*planned.law, planned.config,
                                              output_of(planned, shape)));
}

/// Masks of so many calls that a profile affords.
std::int64_t affordable(const Amount& amount, std::int64_t elements,
                        std::int64_t calls) {
  return std::min(amount.calls, amount.elements / elements) / calls;
}

impl::Shape shape_of(const PlannedConfiguration& planned, std::int64_t units) {
  return planned.own_shape
             ? planned.shape
             : shape_of_units(*planned.law, planned.config, units);
}

std::int64_t calls_for(std::int64_t bits, std::int64_t units) {
  return (bits + units - 1) / units;
}

void plan_masks(SeedPlan& plan, const PlannedConfiguration& planned,
                const Amount& amount, double threshold) {
  const double log_pairs =
      2 * std::log(static_cast<double>(amount.seeds)) - std::numbers::ln2;
  const auto telling = static_cast<std::int64_t>(stats::overlap_window_bits(
      log_pairs, threshold, planned.config.drop_probability));
  if (telling > kLongestMask) return;
  plan.mask_shape = shape_of(planned, std::max(kMaskUnits, telling));
  plan.mask_units = units_of(planned, plan.mask_shape);
  plan.mask_calls = calls_for(telling, plan.mask_units);
  const std::int64_t most = affordable(
      amount, impl::element_count(output_of(planned, plan.mask_shape)),
      plan.mask_calls);
  plan.fresh = std::clamp<std::int64_t>(most, 16, amount.seeds);
  plan.bases = std::clamp<std::int64_t>(most / kSeedRelations, 1, amount.bases);
}

void plan_rows(SeedPlan& plan, const PlannedConfiguration& planned,
               const Amount& amount, double threshold) {
  const double p0 = planned.config.drop_probability;
  plan.row_shape = shape_of(planned, amount.row_units);
  plan.row_units = units_of(planned, plan.row_shape);
  plan.row_calls = calls_for(kShortRow, plan.row_units);
  plan.row_flips = {0, 1, 2, 3, 4, 8, 16, 31};
  if (amount.all_flips) {
    plan.row_flips.resize(64);
    for (int bit = 0; bit < 64; ++bit) {
      plan.row_flips[static_cast<std::size_t>(bit)] = bit;
    }
  }
  plan.rows = 2 * kSuccessiveSeeds + std::ssize(plan.row_flips) + kInstanceRows;
  plan.row_repeats = RepeatPlan::make(plan.rows * plan.row_bits(), 0,
                                      plan.row_bits() / 2, p0, threshold);
  plan.block_bits =
      static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(
          std::min<std::int64_t>(plan.row_bits(), 65536))));
  const std::int64_t most = affordable(
      amount, impl::element_count(output_of(planned, plan.row_shape)),
      plan.row_calls);
  plan.block_pairs = std::clamp<std::int64_t>(most / 4, 1, amount.block_pairs);
  // Far from p0: masks that share words are nested, not equal.
  plan.other_probability = p0 < 0.4 || p0 > 0.6 ? 0.5 : 0.25;
}

/// Every residue modulo 16, and around powers of two.
std::vector<std::int64_t> sizes_from(std::int64_t base, bool all) {
  std::vector<std::int64_t> sizes;
  for (std::int64_t rest = 0; rest < 16; ++rest) {
    if (all || rest < 2 || rest == 7 || rest == 8) sizes.push_back(base + rest);
  }
  for (std::int64_t power = 2 * base; power <= (all ? 8 : 2) * base;
       power *= 2) {
    for (const std::int64_t step : {-1, 0, 1}) sizes.push_back(power + step);
  }
  return sizes;
}

void plan_sizes(SeedPlan& plan, const PlannedConfiguration& planned,
                const Amount& amount, double threshold) {
  if (planned.own_shape || planned.law->unit == impl::Unit::kTensor) return;
  const double p0 = planned.config.drop_probability;
  // Long enough to hold a window and a word that is kept.
  const auto base =
      static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(
          std::max(kMaskUnits, plan.mask_bits() + 256))));
  plan.sizes = sizes_from(base, amount.all_sizes);
  plan.size_rounds = amount.size_rounds;
  plan.compared_rounds = 2;
  plan.size_repeats = RepeatPlan::make(plan.compared_rounds * plan.size_units(),
                                       0, base, p0, threshold);
  plan.large_calls = amount.large_calls;
}

}  // namespace

std::int64_t SeedPlan::size_units() const {
  std::int64_t units = 0;
  for (const std::int64_t size : sizes) units += size;
  return units;
}

std::int64_t SeedPlan::decisions(bool reseeds) const {
  const std::int64_t of_sizes =
      size_rounds * size_units() + large_calls * kLargeUnits;
  if (!reseeds) return of_sizes;
  return of_sizes + (fresh + bases * (kSeedRelations + 1)) * mask_bits() +
         (rows + 2 * block_pairs) * row_bits();
}

std::int64_t SeedPlan::calls(bool reseeds) const {
  const std::int64_t of_sizes = size_rounds * std::ssize(sizes) + large_calls;
  if (!reseeds) return of_sizes;
  return of_sizes + (fresh + bases * (kSeedRelations + 1)) * mask_calls +
         (rows + 2 * block_pairs) * row_calls;
}

SeedPlan make_seed_plan(const PlannedConfiguration& planned, Profile profile,
                        double threshold) {
  const Amount amount = amount_of(profile);
  const double share = threshold + std::log(kSeedParts) + 0.1;
  SeedPlan plan;
  plan_masks(plan, planned, amount, share);
  if (plan.fresh == 0) return plan;
  plan_rows(plan, planned, amount, share);
  plan_sizes(plan, planned, amount, share);
  return plan;
}

}  // namespace dropcheck::properties
