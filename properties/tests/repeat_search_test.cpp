// A run that returns is found wherever it stands, at any distance and shift,
// and chance is not called one.
//
// The plan promises a run length; runs of exactly that length are planted at
// random places. Chance: each search of independent decisions finds something
// with probability at most e^-25, so 100 RapidCheck cases fail once in 1e8.
#include "repeat_search.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "bit_sequence.hpp"
#include "random_bits.hpp"

namespace dropcheck::properties {
namespace {

using testing::bit_at;
using testing::random_bits;
using testing::set_bit;

constexpr std::size_t kWords = 1500;
constexpr std::int64_t kBits = 64 * static_cast<std::int64_t>(kWords);
constexpr std::int64_t kRun = 2048;
constexpr double kThreshold = 25;

RepeatPlan plan_for(double drop) {
  return RepeatPlan::make(kBits, 0, kRun, drop, kThreshold);
}

std::optional<Repeat> search(const std::vector<std::uint64_t>& words,
                             double drop) {
  RepeatSearch search(plan_for(drop), drop);
  search.add(words);
  return search.found();
}

RC_GTEST_PROP(RepeatSearch, FindsAPlantedRun, (std::uint64_t key)) {
  const double drop = *rc::gen::element(0.1, 0.3, 0.5, 0.9);
  const auto last = static_cast<std::size_t>(kBits - kRun);
  const auto from = *rc::gen::inRange<std::size_t>(0, last - 3000);
  const auto to = *rc::gen::inRange<std::size_t>(from + 2500, last + 1);
  auto words = random_bits(kWords, drop, key);
  for (std::size_t i = 0; i < static_cast<std::size_t>(kRun); ++i) {
    set_bit(words, to + i, bit_at(words, from + i));
  }
  const auto found = search(words, drop);
  RC_ASSERT(found.has_value());
  RC_ASSERT(found->later - found->earlier ==
            static_cast<std::int64_t>(to - from));
}

RC_GTEST_PROP(RepeatSearch, FindsNothingInIndependentDecisions,
              (std::uint64_t key)) {
  const double drop = *rc::gen::element(0.1, 0.5, 0.9);
  RC_ASSERT(!search(random_bits(kWords, drop, key), drop).has_value());
}

RC_GTEST_PROP(RepeatSearch, DoesNotDependOnHowItIsFed, (std::uint64_t key)) {
  auto words = random_bits(kWords, 0.3, key);
  std::copy_n(words.begin() + 100, 60, words.begin() + 1200);
  RepeatSearch pieces(plan_for(0.3), 0.3);
  for (std::size_t at = 0; at < kWords;) {
    const auto count =
        std::min(kWords - at, *rc::gen::inRange<std::size_t>(1, 400));
    pieces.add(std::span(words).subspan(at, count));
    at += count;
  }
  const auto whole = search(words, 0.3);
  RC_ASSERT(whole.has_value() && pieces.found().has_value());
  RC_ASSERT(whole->earlier == pieces.found()->earlier);
  RC_ASSERT(whole->later == pieces.found()->later);
}

// No drop, all drops: the same everywhere, but no repetition.
TEST(RepeatSearch, PassesOverWindowsThatTellNothing) {
  EXPECT_FALSE(search(std::vector<std::uint64_t>(kWords, 0), 0.1));
  EXPECT_FALSE(search(std::vector<std::uint64_t>(kWords, ~0ULL), 0.1));
}

// Everything of the head is kept: a short run there is found too.
TEST(RepeatSearch, FindsAShortRunOfTheHead) {
  RepeatPlan plan = RepeatPlan::make(kBits, 64 * 200, kRun, 0.5, kThreshold);
  auto words = random_bits(kWords, 0.5, 3);
  const auto run = static_cast<std::size_t>(plan.window + 64);
  ASSERT_LT(run, static_cast<std::size_t>(kRun / 2));
  for (std::size_t i = 0; i < run; ++i) {
    set_bit(words, 70000 + i, bit_at(words, 5001 + i));
  }
  RepeatSearch search(plan, 0.5);
  search.add(words);
  ASSERT_TRUE(search.found());
  EXPECT_EQ(search.found()->later - search.found()->earlier, 70000 - 5001);
}

// A quarter of a million windows are kept after the one that returns.
TEST(RepeatSearch, ForgetsNothingThatItKeeps) {
  constexpr std::size_t kMany = 4000;
  const RepeatPlan plan =
      RepeatPlan::make(64 * kMany, 64 * kMany, kRun, 0.5, kThreshold);
  const auto run = static_cast<std::size_t>(plan.window + 64);
  const std::size_t to = 64 * kMany - run;
  for (const std::uint64_t key : {5U, 6U, 7U}) {
    auto words = random_bits(kMany, 0.5, key);
    for (std::size_t i = 0; i < run; ++i) {
      set_bit(words, to + i, bit_at(words, 5001 + i));
    }
    RepeatSearch search(plan, 0.5);
    search.add(words);
    ASSERT_TRUE(search.found()) << key;
    EXPECT_EQ(search.found()->later - search.found()->earlier,
              static_cast<std::int64_t>(to) - 5001);
  }
}

TEST(RepeatPlan, KeepsItsChanceForEveryProbability) {
  for (const double drop : {0.01, 0.1, 0.5, 0.97}) {
    const RepeatPlan plan =
        RepeatPlan::make(std::int64_t{1} << 28, 1 << 17, 1 << 18, drop, 40);
    EXPECT_LE(plan.log_chance(std::int64_t{1} << 28, drop), -40) << drop;
    EXPECT_EQ(plan.window % 64, 0);
  }
}

RC_GTEST_PROP(BitSequence, LaysMasksEndToEnd, (std::uint64_t key)) {
  BitSequence sequence;
  std::vector<bool> expected;
  for (std::uint64_t part = 0; part < 6; ++part) {
    const auto bits = *rc::gen::inRange<std::int64_t>(1, 200);
    auto words = random_bits(4, 0.5, key + part);
    words.resize(static_cast<std::size_t>((bits + 63) / 64));
    if (bits % 64 != 0) words.back() &= (std::uint64_t{1} << (bits % 64)) - 1;
    sequence.append(words.data(), bits);
    for (std::int64_t i = 0; i < bits; ++i) {
      expected.push_back(bit_at(words, static_cast<std::size_t>(i)));
    }
  }
  RC_ASSERT(sequence.bits() == std::ssize(expected));
  const std::vector<std::uint64_t> all(sequence.words().begin(),
                                       sequence.words().end());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    RC_ASSERT(bit_at(all, i) == expected[i]);
  }
}

}  // namespace
}  // namespace dropcheck::properties
