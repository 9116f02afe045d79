#include "fast/blocks.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <vector>

#include "src/bits.hpp"

namespace dropcheck::impl::fast {
namespace {

void set_bits(std::uint64_t* words, std::size_t begin, std::size_t count) {
  while (count > 0) {
    const std::size_t part = std::min(count, 64 - begin % 64);
    words[begin / 64] |= lowest(part) << (begin % 64);
    begin += part;
    count -= part;
  }
}

/// Sets each bit that stands `distance` after one that is set.
void set_after(std::uint64_t* words, std::size_t count, std::size_t distance) {
  const std::size_t whole = distance / 64;
  const std::size_t rest = distance % 64;
  if (whole >= count) return;
  for (std::size_t i = count - 1; i > whole; --i) {
    // In two steps: a shift by 64 is none.
    words[i] |=
        words[i - whole] << rest | words[i - whole - 1] >> 1U >> (63 - rest);
  }
  words[whole] |= words[0] << rest;
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

  /// Drops the block around a centre of the map whose first bit is `map`, or
  /// its first element only, where grow_whole() is due.
  void drop(std::size_t centre, std::size_t map, std::uint64_t* dropped) const {
    const DeadRows& dead = dead_[centre];
    if (all_whole()) {
      const std::size_t first = map + starts_[dead.first];
      dropped[first / 64] |= std::uint64_t{1} << (first % 64);
      return;
    }
    for (std::size_t i = dead.first; i < dead.first + dead.rows; ++i) {
      set_bits(dropped, map + starts_[i], dead.length);
    }
  }

  /// Whether no block reaches over an edge of its map.
  bool all_whole() const { return all_whole_; }

  /// Makes a block of each element that was dropped: of all maps at once.
  void grow_whole(std::uint64_t* dropped, std::size_t words) const {
    std::size_t stride = 1;
    for (std::size_t axis = blocks_.extents.size(); axis-- > 0;) {
      const auto size = static_cast<std::size_t>(blocks_.sizes[axis]);
      for (std::size_t length = 1; length < size;) {
        const std::size_t more = std::min(length, size - length);
        set_after(dropped, words, more * stride);
        length += more;
      }
      stride *= static_cast<std::size_t>(blocks_.extents[axis]);
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
      if (low < 0 || low + size > extent) all_whole_ = false;
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
  bool all_whole_ = true;
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
  const std::size_t size_words = (size + 63) / 64;
  if (size == 0) return;
  // What is dropped; turned round in the end.
  std::fill_n(kept, size_words, 0);
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
  if (table.all_whole()) table.grow_whole(kept, size_words);
  for (std::size_t i = 0; i < size_words; ++i) kept[i] = ~kept[i];
  if (size % 64 != 0) kept[size_words - 1] &= lowest(size % 64);
}

}  // namespace dropcheck::impl::fast
