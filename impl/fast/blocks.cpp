#include "fast/blocks.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <vector>

#include "src/bits.hpp"

namespace dropcheck::impl::fast {
namespace {

void clear_bits(std::uint64_t* words, std::size_t begin, std::size_t count) {
  while (count > 0) {
    const std::size_t part = std::min(count, 64 - begin % 64);
    words[begin / 64] &= ~(lowest(part) << (begin % 64));
    begin += part;
    count -= part;
  }
}

/// The places of a map that die around a centre: rows of neighbours, all of one
/// length.
struct DeadRows {
  std::size_t first = 0;  ///< of `starts`
  std::size_t rows = 0;
  std::size_t length = 0;
};

/// The blocks around all centres of a map, made once for many maps.
class BlockTable {
 public:
  explicit BlockTable(const reference::Blocks& blocks) : blocks_(blocks) {
    add_from(0, 0, {});
  }

  std::size_t centres() const { return dead_.size(); }

  bool is_of(const reference::Blocks& blocks) const {
    return blocks.extents == blocks_.extents && blocks.sizes == blocks_.sizes &&
           blocks.first == blocks_.first && blocks.last == blocks_.last;
  }

  /// Drops the block around a centre of the map whose first bit is `map`.
  void drop(std::size_t centre, std::size_t map, std::uint64_t* kept) const {
    const DeadRows& dead = dead_[centre];
    for (std::size_t i = dead.first; i < dead.first + dead.rows; ++i) {
      clear_bits(kept, map + starts_[i], dead.length);
    }
  }

 private:
  /// Adds the centres of an axis and of those after it. `rows` are where the
  /// block begins along the axes before, of a map that has none after them.
  void add_from(std::size_t axis, std::size_t count,
                const std::vector<std::size_t>& rows) {
    const std::int64_t extent = blocks_.extents[axis];
    const std::int64_t size = blocks_.sizes[axis];
    for (std::int64_t centre = blocks_.first[axis];
         centre <= blocks_.last[axis]; ++centre) {
      const std::int64_t low = centre - (size - 1) / 2;
      const auto begin =
          static_cast<std::size_t>(std::max<std::int64_t>(low, 0));
      const auto end = static_cast<std::size_t>(std::min(low + size, extent));
      std::vector<std::size_t> longer;
      const bool last = axis + 1 == blocks_.extents.size();
      for (std::size_t r = 0; r < std::max<std::size_t>(count, 1); ++r) {
        const std::size_t row = axis == 0 ? 0 : rows[r];
        const std::size_t from = row * static_cast<std::size_t>(extent);
        for (std::size_t i = begin; i < (last ? begin + 1 : end); ++i) {
          longer.push_back(from + i);
        }
      }
      if (!last) {
        add_from(axis + 1, longer.size(), longer);
        continue;
      }
      dead_.push_back({starts_.size(), longer.size(), end - begin});
      starts_.insert(starts_.end(), longer.begin(), longer.end());
    }
  }

  reference::Blocks blocks_;
  std::vector<DeadRows> dead_;
  std::vector<std::size_t> starts_;
};

/// That of the latest call on this thread serves again: for a small mask it
/// takes longer to make than to use.
const BlockTable& table_of(const reference::Blocks& blocks) {
  thread_local std::optional<BlockTable> latest;
  if (!latest || !latest->is_of(blocks)) latest.emplace(blocks);
  return *latest;
}

}  // namespace

void drop_blocks(const reference::Blocks& blocks, std::size_t maps,
                 RandomStream& stream, std::uint64_t* kept) {
  const auto map = static_cast<std::size_t>(element_count(blocks.extents));
  const std::size_t size = maps * map;
  for (std::size_t i = 0; i < size; i += 64) {
    kept[i / 64] = lowest(std::min<std::size_t>(64, size - i));
  }
  if (size == 0) return;
  const BlockTable& table = table_of(blocks);
  const auto probability = Probability::from_drop(blocks.gamma);
  const std::size_t centres = maps * table.centres();
  std::array<std::uint64_t, 64> words;
  constexpr std::size_t kAtATime = 64 * 64;
  std::size_t first = 0;   // centre of the map at hand
  std::size_t offset = 0;  // bit of that map
  for (std::size_t done = 0; done < centres; done += kAtATime) {
    const std::size_t count = std::min(kAtATime, centres - done);
    stream.decide(probability, count, words.data());
    for (std::size_t i = 0; i < count; i += 64) {
      std::uint64_t dropped =
          ~words[i / 64] & lowest(std::min<std::size_t>(64, count - i));
      for (; dropped != 0; dropped &= dropped - 1) {
        const std::size_t centre =
            done + i + static_cast<std::size_t>(std::countr_zero(dropped));
        for (; centre >= first + table.centres(); first += table.centres()) {
          offset += map;
        }
        table.drop(centre - first, offset, kept);
      }
    }
  }
}

}  // namespace dropcheck::impl::fast
