#include "block_patterns.hpp"

#include <algorithm>
#include <cmath>

namespace dropcheck::properties {
namespace {

using Axes = std::span<const impl::BlockAxis>;
using Index = std::vector<std::int64_t>;

/// Moves `index` to the next one of the box [first, last], row-major.
bool next(Index& index, const Index& first, const Index& last) {
  for (std::size_t axis = index.size(); axis-- > 0;) {
    if (++index[axis] <= last[axis]) return true;
    index[axis] = first[axis];
  }
  return false;
}

/// Calls `f(position)` for the positions of the block around a centre until it
/// returns false; whether it never did.
template <class F>
bool all_of_block(Axes axes, const Index& centre, const F& f) {
  Index first;
  Index last;
  for (std::size_t axis = 0; axis < axes.size(); ++axis) {
    first.push_back(axes[axis].begin(centre[axis]));
    last.push_back(axes[axis].end(centre[axis]) - 1);
  }
  Index index = first;
  do {
    std::int64_t position = 0;
    for (std::size_t axis = 0; axis < axes.size(); ++axis) {
      position = position * axes[axis].extent + index[axis];
    }
    if (!f(static_cast<std::size_t>(position))) return false;
  } while (next(index, first, last));
  return true;
}

}  // namespace

std::optional<std::int64_t> outside_all_blocks(
    Axes axes, std::span<const std::uint8_t> dropped) {
  std::vector<std::uint8_t> covered(dropped.size(), 0);
  Index first;
  Index last;
  for (const impl::BlockAxis& axis : axes) {
    first.push_back(axis.first_centre);
    last.push_back(axis.last_centre);
  }
  Index centre = first;
  do {
    const bool whole = all_of_block(
        axes, centre, [&](std::size_t i) { return dropped[i] != 0; });
    if (!whole) continue;
    all_of_block(axes, centre, [&](std::size_t i) {
      covered[i] = 1;
      return true;
    });
  } while (next(centre, first, last));
  const auto [outside, end] =
      std::mismatch(dropped.begin(), dropped.end(), covered.begin());
  if (outside == dropped.end()) return std::nullopt;
  return outside - dropped.begin();
}

double log_chance_of_longer_blocks(const impl::BlockLaw& law,
                                   std::size_t axis) {
  const impl::BlockAxis& along = law.axes[axis];
  if (along.block >= along.extent || law.gamma >= 1) return 0;
  // A block that ends inside the map, or is whole because it must be.
  const bool cut = along.centres() == along.extent;
  std::int64_t telling = 0;
  for (std::int64_t c = along.first_centre; c <= along.last_centre; ++c) {
    const bool inside = along.begin(c) > 0 && along.end(c) < along.extent;
    telling += !cut || inside ? 1 : 0;
  }
  const auto centres = static_cast<double>(law.centres());
  const double log_one =
      std::log(centres / static_cast<double>(along.centres()) *
               static_cast<double>(telling) * law.gamma) +
      (centres - 1) * std::log1p(-law.gamma);
  return std::log1p(-std::exp(log_one));
}

}  // namespace dropcheck::properties
