#include <Random123/philox.h>
#include <gmock/gmock.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <vector>

#include "dropcheck/impl/probability.hpp"
#include "dropcheck/impl/random_stream.hpp"
#include "src/philox.hpp"
#include "vector_sets.hpp"

namespace dropcheck::impl {
namespace {

using ::testing::ElementsAre;

std::uint32_t low(std::uint64_t word) {
  return static_cast<std::uint32_t>(word);
}
std::uint32_t high(std::uint64_t word) { return low(word >> 32U); }

constexpr std::uint64_t kLargestWord =
    std::numeric_limits<std::uint64_t>::max();

// Random123's kat_vectors: philox4x32-10 of counter 0 and key 0 is
// 6627e8d5 e169c58d bc57ac4c 9b00dbd8.
TEST(RandomStream, IsPhiloxWithTheLowHalfFirst) {
  RandomStream stream(0);
  EXPECT_EQ(stream.next(), 0xe169c58d6627e8d5U);
  EXPECT_EQ(stream.next(), 0x9b00dbd8bc57ac4cU);
}

TEST(RandomStream, CountsItsDraws) {
  RandomStream stream(7);
  EXPECT_EQ(stream.drawn(), 0U);
  for (int i = 0; i < 5; ++i) stream.next();
  EXPECT_EQ(stream.drawn(), 5U);
  stream.reseed(7);
  EXPECT_EQ(stream.drawn(), 0U);
}

// Odd lengths leave part of a block behind; no word may be lost or repeated.
TEST(RandomStream, FillsWithTheWordsOfNext) {
  RandomStream one(123);
  RandomStream many(123);
  for (const std::size_t length : {1U, 3U, 0U, 8U, 2U, 200U, 5U, 64U, 129U}) {
    std::vector<std::uint64_t> words(length);
    many.fill(words);
    for (const std::uint64_t word : words) EXPECT_EQ(word, one.next());
    EXPECT_EQ(many.drawn(), one.drawn());
  }
}

// Through every set of vectors that this processor has, and over the carry of
// the low half of the counter.
TEST(Philox, IsRandom123sWordForWord) {
  constexpr std::uint64_t kSeed = 0x0123456789abcdefU;
  testing::on_all_vector_sets([] {
    for (const std::uint64_t first :
         {std::uint64_t{0}, std::uint64_t{0xffffffe9U}, ~std::uint64_t{20}}) {
      for (const std::size_t blocks : {1U, 31U, 64U, 77U}) {
        std::vector<std::uint64_t> words(2 * blocks);
        philox_words(first, kSeed, blocks, words.data());
        for (std::size_t j = 0; j < blocks; ++j) {
          const std::uint64_t counter = first + j;
          const auto expected =
              r123::Philox4x32()({{low(counter), high(counter), 0, 0}},
                                 {{low(kSeed), high(kSeed)}});
          ASSERT_EQ(low(words[2 * j]), expected[0]) << j << " of " << blocks;
          ASSERT_EQ(high(words[2 * j]), expected[1]);
          ASSERT_EQ(low(words[2 * j + 1]), expected[2]);
          ASSERT_EQ(high(words[2 * j + 1]), expected[3]);
        }
      }
    }
  });
}

// Random123's kat_vectors: threefry4x64-20 of counter 0 and key 0.
TEST(KeyedWord, IsThreefry) {
  EXPECT_EQ(keyed_word(0, 0), 0x09218ebde6c85537U);
  EXPECT_THAT(keyed_words(0, 0),
              ElementsAre(0x09218ebde6c85537U, 0x55941f5266d86105U,
                          0x4bd25e16282434dcU, 0xee29ec846bd2e40bU));
}

TEST(Probability, NeverKeepsAtKeepZeroAndAlwaysAtOne) {
  const auto never = Probability::from_drop(1);
  const auto always = Probability::from_drop(0);
  for (const std::uint64_t word : {std::uint64_t{0}, kLargestWord}) {
    EXPECT_FALSE(never.keeps(word));
    EXPECT_TRUE(always.keeps(word));
  }
}

TEST(Probability, SplitsTheWordsAtTheThreshold) {
  const auto half = Probability::from_drop(.5);
  EXPECT_TRUE(half.keeps((std::uint64_t{1} << 63U) - 1));
  EXPECT_FALSE(half.keeps(std::uint64_t{1} << 63U));
}

TEST(Probability, HandlesTheSmallestAndTheLargest) {
  const auto tiny =
      Probability::from_keep(std::numeric_limits<double>::denorm_min());
  EXPECT_TRUE(tiny.keeps(0));  // ceil(keep * 2^64) is 1
  EXPECT_FALSE(tiny.keeps(1));
  const auto nearly = Probability::from_keep(1 - 0x1p-53);
  EXPECT_TRUE(nearly.keeps(kLargestWord - 2048));
  EXPECT_FALSE(nearly.keeps(kLargestWord));
  const auto rare = Probability::from_drop(0x1p-64);
  EXPECT_TRUE(rare.keeps(kLargestWord - 1));
  EXPECT_FALSE(rare.keeps(kLargestWord));
  const auto too_rare =
      Probability::from_drop(std::numeric_limits<double>::denorm_min());
  EXPECT_TRUE(too_rare.keeps(kLargestWord));
}

TEST(Probability, RefusesWhatIsNone) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double value : {-0x1p-60, 1 + 0x1p-52, nan, infinity, -infinity}) {
    EXPECT_THROW(Probability::from_drop(value), std::domain_error);
    EXPECT_THROW(Probability::from_keep(value), std::domain_error);
  }
}

}  // namespace
}  // namespace dropcheck::impl
