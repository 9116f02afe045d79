#pragma once

#include <vector>

#include "claim_parts.hpp"
#include "seed_plan.hpp"

namespace dropcheck::properties {

/// What masks of many seeds say; all of it draws.
///
/// Fresh seeds: masks that return, and the rate by each bit of the seed.
/// Relatives: the same unit under seed s and under s + 1, s with a bit changed.
/// A bit that changes nothing at all is the business of `seeding`.
std::vector<ClaimPart> fresh_seed_parts(const Context& context,
                                        const SeedPlan& plan);
ClaimPart relatives_part(const Context& context, const SeedPlan& plan);

/// A run of decisions that returns, at any place, under another seed or in
/// another instance.
ClaimPart runs_part(const Context& context, const SeedPlan& plan);

/// Masks of successive seeds, of two drop probabilities, at every shift.
ClaimPart shifts_part(const Context& context, const SeedPlan& plan);

/// One sequence of calls of several sizes: runs that return in a call of
/// another size, and the rate by size.
std::vector<ClaimPart> size_parts(const Context& context, const SeedPlan& plan);

}  // namespace dropcheck::properties
