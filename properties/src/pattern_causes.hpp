#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "mask_sample.hpp"
#include "tally.hpp"

namespace dropcheck::properties {

/// Why units `lag` apart in a call depend on each other: groups that share a
/// decision, a tile that repeats, pairs, rows that are moved, u and 1 - u,
/// decisions that are repeated now and then. `pairs` are those at that lag.
std::optional<std::string> cause_of_pattern(const MaskSample& sample,
                                            std::int64_t lag,
                                            const PairCounts& pairs);

/// Why drops in groups vary too little or too much: which groups hold a fixed
/// number, or have a rate of their own.
std::optional<std::string> cause_of_counts(const MaskSample& sample);

/// Why calls depend on each other: masks that return, serve several calls,
/// come from a pool, mirror each other, are refreshed in part.
std::optional<std::string> cause_of_calls(const MaskSample& sample);

}  // namespace dropcheck::properties
