// Whole masks of many seeds: how many there are, and the rate by each bit of
// the seed (STATISTICS 2.f, "few masks or seeds").
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "dropcheck/stats/correlation.hpp"
#include "dropcheck/stats/granularity.hpp"
#include "dropcheck/stats/homogeneity.hpp"
#include "dropcheck/stats/shift_counts.hpp"
#include "mask_fingerprint.hpp"
#include "mask_kernels.hpp"
#include "mask_stream.hpp"
#include "seed_evidence.hpp"
#include "structure_evidence.hpp"

namespace dropcheck::properties {
namespace {

/// Drops by the value of each bit of the seed, and of the sum of all bits.
using BitRates = std::array<std::array<stats::Counts, 2>, 65>;

void add(BitRates& rates, std::uint64_t seed, const stats::Counts& counts) {
  for (std::size_t bit = 0; bit < 64; ++bit) {
    rates[bit][(seed >> bit) & 1U] += counts;
  }
  rates[64][static_cast<std::size_t>(std::popcount(seed)) % 2] += counts;
}

ClaimPart bit_part(const BitRates& rates, double p0) {
  std::vector<double> logs;
  for (const auto& groups : rates) {
    logs.push_back(stats::log_homogeneity_e_value(groups, p0));
  }
  const std::size_t worst = largest_index(logs);
  const stats::Counts& set = rates[worst][1];
  const stats::Counts& clear = rates[worst][0];
  const std::string what = worst == 64
                               ? std::string("an odd number of set bits")
                               : fmt::format("bit {} set", worst);
  return {log_mean(logs),
          fmt::format("the drop rate depends on the seed: seeds with {} drop "
                      "at {:.5g}, the others at {:.5g}",
                      what, rate_of(set), rate_of(clear)),
          false,
          "drop rate of seeds with " + what,
          rate_of(clear),
          rate_of(set)};
}

/// Enough drops and keeps to call equal masks a repetition.
bool telling(const stats::Counts& counts, double p0) {
  const auto n = static_cast<double>(counts.n);
  const auto drops = static_cast<double>(counts.drops);
  return drops >= p0 * n / 4 && n - drops >= (1 - p0) * n / 4;
}

ClaimPart repetition_part(const std::vector<Fingerprint>& prints,
                          const SeedPlan& plan, double p0) {
  ClaimPart part;
  part.exact = true;
  const Duplicates duplicates = find_duplicates(prints);
  if (duplicates.pairs == 0) return part;
  const double log_pairs =
      2 * std::log(static_cast<double>(plan.fresh)) - std::log(2);
  part.log_e =
      -log_pairs - stats::log_chance_identical(
                       p0, static_cast<std::uint64_t>(plan.mask_bits()));
  const auto seeds = static_cast<double>(prints.size());
  const double masks =
      seeds * seeds / 2 / static_cast<double>(duplicates.pairs);
  part.sentence = fmt::format(
      "different seeds give the same mask: {} of {:.3g} pairs of seeds, as if "
      "all seeds together gave about {:.2g} masks, or {:.0f} bits of a seed "
      "counted",
      duplicates.pairs, seeds * seeds / 2, masks, std::log2(masks));
  return part;
}

}  // namespace

std::vector<ClaimPart> fresh_seed_parts(const Context& context,
                                        const SeedPlan& plan) {
  const StreamSource source(context, plan.mask_shape);
  MaskStream stream(source);
  const Fingerprinter fingerprinter(
      stream_seed(context.experiment, Stream::kSeeds, 1));
  std::vector<Fingerprint> prints;
  BitRates rates{};
  for (std::int64_t k = 0; k < plan.fresh; ++k) {
    const std::uint64_t seed = distinct_seed(context.experiment, Stream::kSeeds,
                                             static_cast<std::uint64_t>(k));
    stream.reseed(seed);
    const BitSequence mask = stream.next(plan.mask_calls);
    const auto words = mask.words();
    const stats::Counts counts{popcount(words.data(), words.size()),
                               static_cast<std::uint64_t>(mask.bits())};
    add(rates, seed, counts);
    if (!telling(counts, context.p0())) continue;
    prints.push_back(fingerprinter.of(words.data(), words.size()));
  }
  return {repetition_part(prints, plan, context.p0()),
          bit_part(rates, context.p0())};
}

namespace {

/// Seed number `relation` of those that are compared with `seed`.
std::uint64_t relative(std::uint64_t seed, std::size_t relation) {
  return relation == 64 ? seed + 1 : seed ^ (std::uint64_t{1} << relation);
}

std::string relation_words(std::size_t relation) {
  return relation == 64 ? std::string("successive seeds")
                        : fmt::format("seeds that differ in bit {}", relation);
}

stats::ShiftCounts joint(const BitSequence& earlier, const BitSequence& later) {
  const std::uint64_t* a = earlier.words().data();
  const std::uint64_t* b = later.words().data();
  const std::size_t count = earlier.words().size();
  return {static_cast<std::uint64_t>(earlier.bits()), popcount(a, count),
          popcount(b, count), popcount_and(a, b, count)};
}

bool equal(const BitSequence& a, const BitSequence& b) {
  return std::ranges::equal(a.words(), b.words());
}

}  // namespace

ClaimPart relatives_part(const Context& context, const SeedPlan& plan) {
  const StreamSource source(context, plan.mask_shape);
  MaskStream stream(source);
  std::array<stats::ShiftCounts, kSeedRelations> counts{};
  std::array<bool, kSeedRelations> same{};
  for (std::int64_t j = 0; j < plan.bases; ++j) {
    const std::uint64_t seed =
        distinct_seed(context.experiment, Stream::kSeeds,
                      static_cast<std::uint64_t>(plan.fresh + j));
    stream.reseed(seed);
    const BitSequence mask = stream.next(plan.mask_calls);
    for (std::size_t r = 0; r < counts.size(); ++r) {
      stream.reseed(relative(seed, r));
      const BitSequence other = stream.next(plan.mask_calls);
      if (equal(mask, other)) same[r] = true;
      counts[r] += joint(mask, other);
    }
  }
  const stats::CorrelationTest test(
      {context.p0(), static_cast<double>(plan.bases * plan.mask_bits()),
       context.log_threshold("independence_seeds")});
  std::vector<double> logs;
  for (std::size_t r = 0; r < counts.size(); ++r) {
    // Leaving one out only lowers the mean.
    logs.push_back(same[r] ? ClaimPart::kNoEvent
                           : test.log_e_value(counts[r].contexts(), kAnyRate));
  }
  const std::size_t worst = largest_index(logs);
  const stats::ShiftCounts& odd = counts[worst];
  const PairCounts pairs{odd.pairs, odd.earlier, odd.later, odd.both};
  return {log_mean(logs),
          fmt::format("the same unit under {} {}", relation_words(worst),
                      dependence_words(pairs)),
          false,
          "drop rate after a drop under the other seed",
          rate_of({pairs.later, pairs.pairs}),
          rate_of(pairs.after_drop())};
}

}  // namespace dropcheck::properties
