#pragma once

#include <cstddef>
#include <cstdint>

#include "reference/drop_block.hpp"

namespace dropcheck::impl::fast {

/// The twin of reference::drop_blocks for so many maps, one after the other:
/// their bits, 1 for what is kept, the lowest bit of a word first, with zeros
/// past the end.
void drop_blocks(const reference::Blocks& blocks, std::size_t maps,
                 RandomStream& stream, std::uint64_t* kept);

}  // namespace dropcheck::impl::fast
