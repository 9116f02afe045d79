#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "dropcheck/impl/block_law.hpp"

namespace dropcheck::properties {

/// The first dropped position of a map (1 = dropped, row-major) that lies in no
/// block which is dropped as a whole; empty if the map is a union of blocks.
std::optional<std::int64_t> outside_all_blocks(
    std::span<const impl::BlockAxis> axes,
    std::span<const std::uint8_t> dropped);

/// ln of an upper bound of the probability that a map which follows the law is
/// also a union of blocks one longer along `axis`: that no single centre was
/// drawn, away from the border where that would cut blocks off. 0 if the map is
/// too short to tell.
double log_chance_of_longer_blocks(const impl::BlockLaw& law, std::size_t axis);

}  // namespace dropcheck::properties
