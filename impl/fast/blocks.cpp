#include "fast/blocks.hpp"

#include <algorithm>
#include <array>
#include <bit>
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

/// One axis of the maps.
struct Axis {
  std::int64_t extent;
  std::int64_t block;
  std::int64_t first;
  std::int64_t centres;

  /// The part of a block that lies on the map.
  std::int64_t begin(std::int64_t centre) const {
    return std::max<std::int64_t>(0, first + centre - (block - 1) / 2);
  }
  std::int64_t end(std::int64_t centre) const {
    return std::min(extent, first + centre - (block - 1) / 2 + block);
  }
};

class Maps {
 public:
  explicit Maps(const reference::Blocks& blocks) {
    for (std::size_t i = 0; i < blocks.extents.size(); ++i) {
      axes_.push_back({blocks.extents[i], blocks.sizes[i], blocks.first[i],
                       blocks.last[i] - blocks.first[i] + 1});
      size_ *= axes_.back().extent;
      centres_ *= axes_.back().centres;
    }
    centre_.resize(axes_.size());
  }

  std::int64_t size() const { return size_; }
  std::int64_t centres() const { return centres_; }

  /// Drops the block around centre number `index` of all maps.
  void drop(std::int64_t index, std::uint64_t* kept) {
    const std::int64_t map = index / centres_;
    index %= centres_;
    for (std::size_t i = axes_.size(); i-- > 0;) {
      centre_[i] = index % axes_[i].centres;
      index /= axes_[i].centres;
    }
    drop_along(0, map, kept);
  }

 private:
  void drop_along(std::size_t i, std::int64_t offset, std::uint64_t* kept) {
    const Axis& axis = axes_[i];
    const std::int64_t begin = axis.begin(centre_[i]);
    const std::int64_t end = axis.end(centre_[i]);
    offset *= axis.extent;
    if (i + 1 == axes_.size()) {
      return clear_bits(
          kept, static_cast<std::size_t>(offset + begin),
          static_cast<std::size_t>(std::max(end - begin, std::int64_t{0})));
    }
    for (std::int64_t at = begin; at < end; ++at) {
      drop_along(i + 1, offset + at, kept);
    }
  }

  std::vector<Axis> axes_;
  std::vector<std::int64_t> centre_;  // of the block at hand
  std::int64_t size_ = 1;
  std::int64_t centres_ = 1;
};

}  // namespace

void drop_blocks(const reference::Blocks& blocks, std::size_t maps,
                 RandomStream& stream, std::uint64_t* kept) {
  Maps all(blocks);
  const std::size_t size = maps * static_cast<std::size_t>(all.size());
  for (std::size_t i = 0; i < size; i += 64) {
    kept[i / 64] = lowest(std::min<std::size_t>(64, size - i));
  }
  if (size == 0) return;
  const auto probability = Probability::from_drop(blocks.gamma);
  const std::size_t centres = maps * static_cast<std::size_t>(all.centres());
  std::array<std::uint64_t, 64> words;
  constexpr std::size_t kAtATime = 64 * 64;
  for (std::size_t done = 0; done < centres; done += kAtATime) {
    const std::size_t count = std::min(kAtATime, centres - done);
    stream.decide(probability, count, words.data());
    for (std::size_t i = 0; i < count; i += 64) {
      std::uint64_t dropped =
          ~words[i / 64] & lowest(std::min<std::size_t>(64, count - i));
      for (; dropped != 0; dropped &= dropped - 1) {
        const auto bit = static_cast<std::size_t>(std::countr_zero(dropped));
        all.drop(static_cast<std::int64_t>(done + i + bit), kept);
      }
    }
  }
}

}  // namespace dropcheck::impl::fast
