// Repetitions between calls: a planted one is found wherever it lies, and
// chance is not called one.
//
// Windows are as long as the plan makes them: at level 1e-9 over all pairs
// compared, (ln pairs + 20.7) / -ln(p^2 + q^2) decisions, a few hundred at
// p = 0.1. A copy of two windows less one decision holds a whole window that
// starts at a multiple of the window, whatever the shift. 100 RapidCheck cases
// of independent masks would fail once in 1e7 runs.
#include "overlap.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <vector>

#include "dropcheck/impl/random_stream.hpp"

namespace dropcheck::properties {
namespace {

constexpr std::int64_t kBits = 5000;
constexpr std::size_t kCalls = 5;

bool bit(const Row& row, std::int64_t i) {
  return ((row.words[static_cast<std::size_t>(i / 64)] >> (i % 64)) & 1U) != 0;
}

void set_bit(Row& row, std::int64_t i, bool value) {
  std::uint64_t& word = row.words[static_cast<std::size_t>(i / 64)];
  word &= ~(std::uint64_t{1} << (i % 64));
  word |= std::uint64_t{value} << (i % 64);
}

std::vector<Row> independent(double drop, std::uint64_t key) {
  std::vector<Row> rows(kCalls);
  for (std::size_t call = 0; call < kCalls; ++call) {
    Row& row = rows[call];
    row.bits = kBits;
    row.words.resize((kBits + 63) / 64);
    for (std::int64_t i = 0; i < kBits; ++i) {
      const auto word =
          impl::keyed_word(key, call, static_cast<std::uint64_t>(i));
      set_bit(row, i, std::ldexp(static_cast<double>(word), -64) < drop);
    }
  }
  return rows;
}

std::int64_t window_for(double drop) {
  const double per_decision = -std::log(drop * drop + (1 - drop) * (1 - drop));
  const double needed =
      (log_overlap_pairs(kCalls, kBits, 64) - std::log(1e-9)) / per_decision;
  return (static_cast<std::int64_t>(std::ceil(needed)) + 63) / 64 * 64;
}

double any_drop() {
  return *rc::gen::element(0.1, 0.3, 0.5, 0.9).as("drop probability");
}

RC_GTEST_PROP(FindOverlap, FindsAPlantedWindowAtAnyShift, ()) {
  const double drop = any_drop();
  const std::int64_t window = window_for(drop);
  const std::int64_t length = 2 * window - 1;
  auto rows = independent(drop, *rc::gen::arbitrary<std::uint64_t>());
  const auto from = *rc::gen::inRange<std::size_t>(0, kCalls - 1).as("from");
  const auto to = *rc::gen::inRange<std::size_t>(from + 1, kCalls).as("to");
  const auto begin =
      *rc::gen::inRange<std::int64_t>(0, kBits - length + 1).as("begin");
  const auto copy =
      *rc::gen::inRange<std::int64_t>(0, kBits - length + 1).as("copy");
  for (std::int64_t i = 0; i < length; ++i) {
    set_bit(rows[to], copy + i, bit(rows[from], begin + i));
  }
  const auto found = find_overlap(rows, drop, window);
  RC_ASSERT(found.has_value());
  RC_ASSERT(found->earlier_call == from);
  RC_ASSERT(found->later_call == to);
  RC_ASSERT(found->window >= window);
  RC_ASSERT(found->later_position - found->earlier_position == copy - begin);
  for (std::int64_t i = 0; i < found->window; ++i) {
    RC_ASSERT(bit(rows[from], found->earlier_position + i) ==
              bit(rows[to], found->later_position + i));
  }
}

RC_GTEST_PROP(FindOverlap, DoesNotCallIndependentMasksARepetition, ()) {
  const double drop = any_drop();
  const auto rows = independent(drop, *rc::gen::arbitrary<std::uint64_t>());
  RC_ASSERT(!find_overlap(rows, drop, window_for(drop)));
}

// The last window of a call returns in the next one, and no more than that.
TEST(FindOverlap, FindsTheLastWindowOfACall) {
  const std::int64_t window = window_for(0.5);
  auto rows = independent(0.5, 7);
  const std::int64_t last = (kBits / window - 1) * window;
  for (std::int64_t i = 0; i < window; ++i) {
    set_bit(rows[1], 77 + i, bit(rows[0], last + i));
  }
  const auto found = find_overlap(rows, 0.5, window);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->earlier_position, last);
  EXPECT_EQ(found->later_position, 77);
}

// Repeating windows, but of nothing: that is for drop_rate to refute.
TEST(FindOverlap, DoesNotCallALayerThatDropsNothingOrAllARepetition) {
  for (const double drop : {0.1, 0.5, 0.9}) {
    EXPECT_FALSE(find_overlap(independent(0, 1), drop, window_for(drop)));
    EXPECT_FALSE(find_overlap(independent(1, 1), drop, window_for(drop)));
  }
}

TEST(FindOverlap, LooksAtNothingWhereThereIsNothing) {
  EXPECT_FALSE(find_overlap({}, 0.1, 64));
  const auto rows = independent(0.5, 1);
  EXPECT_FALSE(find_overlap(std::span(rows).first(1), 0.5, 128));
  std::vector<Row> twice{rows[0], rows[0]};
  EXPECT_TRUE(find_overlap(twice, 0.5, 128));
  EXPECT_FALSE(find_overlap(twice, 0.5, 64 * (kBits / 64 + 1)))
      << "a window longer than a call fits nowhere";
}

}  // namespace
}  // namespace dropcheck::properties
