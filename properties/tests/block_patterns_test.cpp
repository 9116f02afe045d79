// Unions of blocks, by enumeration of all sets of centres on small maps: what
// the law draws is one, and the chance that it also looks like longer blocks
// stays below the bound that the check's e-value rests on.
#include "block_patterns.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <ostream>

namespace dropcheck::properties {
namespace {

using impl::BlockLaw;

struct SmallMap {
  impl::Shape shape;
  impl::BlockOptions block;
};

void PrintTo(const SmallMap& map, std::ostream* out) {
  *out << impl::to_string(map.shape) << " "
       << impl::describe({.block = map.block});
}

BlockLaw law_of(const SmallMap& map, double drop) {
  return impl::block_law(*impl::find_law("drop_block2d"),
                         {.drop_probability = drop, .block = map.block},
                         map.shape);
}

/// The union of the blocks around the centres in `set`, two axes.
std::vector<std::uint8_t> drawn(const BlockLaw& law, std::uint32_t set) {
  const auto& [rows, columns] = std::pair{law.axes[0], law.axes[1]};
  std::vector<std::uint8_t> map(
      static_cast<std::size_t>(rows.extent * columns.extent), 0);
  unsigned bit = 0;
  for (auto r = rows.first_centre; r <= rows.last_centre; ++r) {
    for (auto c = columns.first_centre; c <= columns.last_centre; ++c, ++bit) {
      if ((set >> bit & 1U) == 0) continue;
      for (auto i = rows.begin(r); i < rows.end(r); ++i) {
        for (auto j = columns.begin(c); j < columns.end(c); ++j) {
          map[static_cast<std::size_t>(i * columns.extent + j)] = 1;
        }
      }
    }
  }
  return map;
}

class Blocks : public ::testing::TestWithParam<SmallMap> {};

INSTANTIATE_TEST_SUITE_P(
    SmallMaps, Blocks,
    ::testing::Values(SmallMap{{1, 1, 4, 5}, {.size = 2}},
                      SmallMap{{1, 1, 5, 6}, {.size = 3}},
                      SmallMap{{1, 1, 3, 5}, {.size = 2, .whole_map = true}},
                      SmallMap{{1, 1, 3, 5}, {.size = 3, .whole_map = true}},
                      SmallMap{{1, 1, 2, 6}, {.size = 3}}));

TEST_P(Blocks, MakeUpEveryPatternOfTheLaw) {
  const BlockLaw law = law_of(GetParam(), .4);
  for (std::uint32_t set = 0; set < 1U << law.centres(); ++set) {
    EXPECT_FALSE(outside_all_blocks(law.axes, drawn(law, set))) << set;
  }
}

TEST_P(Blocks, LookLongerAtMostAsOftenAsTheBoundSays) {
  for (const double drop : {.1, .5, .9}) {
    const BlockLaw law = law_of(GetParam(), drop);
    for (std::size_t axis = 0; axis < 2; ++axis) {
      auto longer = law.axes;
      longer[axis] =
          impl::block_axis(law.axes[axis].extent, law.axes[axis].block + 1,
                           GetParam().block.whole_map);
      double chance = 0;
      for (std::uint32_t set = 0; set < 1U << law.centres(); ++set) {
        if (outside_all_blocks(longer, drawn(law, set))) continue;
        const int count = __builtin_popcount(set);
        chance +=
            std::pow(law.gamma, count) *
            std::pow(1 - law.gamma, static_cast<double>(law.centres()) - count);
      }
      EXPECT_LE(chance,
                std::exp(log_chance_of_longer_blocks(law, axis)) + 1e-12)
          << drop << " " << axis;
    }
  }
}

TEST(BlockPattern, IsNotMadeUpOfSingleElements) {
  const BlockLaw law = law_of({{1, 1, 5, 6}, {.size = 3}}, .1);
  std::vector<std::uint8_t> map = drawn(law, 1);
  map[29] = 1;
  EXPECT_EQ(outside_all_blocks(law.axes, map), 29);
}

}  // namespace
}  // namespace dropcheck::properties
