#pragma once

#include <cstdint>
#include <vector>

#include "dropcheck/properties/plan.hpp"
#include "repeat_search.hpp"

namespace dropcheck::properties {

/// Which masks of which seeds, instances and tensor sizes are compared.
struct SeedPlan {
  /// Masks that are compared as a whole: `mask_calls` calls after a seed.
  impl::Shape mask_shape;
  std::int64_t mask_units = 0;  ///< a call
  std::int64_t mask_calls = 1;
  std::int64_t fresh = 0;  ///< seeds that have nothing in common
  std::int64_t bases = 0;  ///< seeds that are compared with their relatives

  /// Longer rows, for runs that return at another place, and for transforms.
  impl::Shape row_shape;
  std::int64_t row_units = 0;  ///< a call
  std::int64_t row_calls = 1;
  std::vector<int> row_flips;  ///< bits of the seed that are changed
  std::int64_t rows = 0;
  RepeatPlan row_repeats;
  std::int64_t block_bits = 0;
  std::int64_t block_pairs = 0;
  double other_probability = 0;  ///< of the second of two correlated seeds

  std::vector<std::int64_t> sizes;  ///< units; empty: the law has one size
  std::int64_t size_rounds = 0;
  std::int64_t compared_rounds = 0;  ///< of them, searched for returning runs
  RepeatPlan size_repeats;
  /// A call of more than 2^24 units, so often.
  std::int64_t large_calls = 0;

  std::int64_t mask_bits() const { return mask_units * mask_calls; }
  std::int64_t row_bits() const { return row_units * row_calls; }
  std::int64_t size_units() const;  ///< in one round of all sizes
  /// In all; without reseeding sizes are all that is compared.
  std::int64_t decisions(bool reseeds) const;
  std::int64_t calls(bool reseeds) const;
};

/// Rows of two instances, two calls each.
inline constexpr std::int64_t kInstanceRows = 4;
/// Seed relations: seed + 1, and each of 64 bits changed.
inline constexpr std::int64_t kSeedRelations = 65;
/// Successive seeds among the rows: s to s + 7.
inline constexpr std::int64_t kSuccessiveSeeds = 8;
/// Kinds of evidence that share the claim: fresh masks, seed bits, relatives,
/// runs, shifts; runs and rates over sizes.
inline constexpr int kSeedParts = 7;

/// A call of so many units, of which 2^20 lie above 2^24.
inline constexpr std::int64_t kLargeUnits =
    (std::int64_t{1} << 24) + (std::int64_t{1} << 20);

/// `threshold` is what the claim's e-value must reach. A plan without fresh
/// seeds says that the drop probability is too near 0 or 1.
SeedPlan make_seed_plan(const PlannedConfiguration& planned, Profile profile,
                        double threshold);

}  // namespace dropcheck::properties
