#include "dropcheck/impl/mask_replay.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <random>
#include <stdexcept>

#include "dropcheck/impl/random_stream.hpp"
#include "src/replay_kernels.hpp"
#include "src/replay_words.hpp"
#include "vector_sets.hpp"

namespace dropcheck::impl {
namespace {

using Words = std::vector<std::uint64_t>;

Words mask_of(MaskReplay& replay, std::size_t units) {
  Words kept((units + 63) / 64);
  replay.next(units, kept.data());
  return kept;
}

MaskRecipe recipe_with(const char* name, const std::vector<RecipePart>& parts) {
  std::vector<RecipePart> all = {{"like", name}};
  all.insert(all.end(), parts.begin(), parts.end());
  return recipe_of(all);
}

/// PERFORMANCE 6d: pairs of words, the high one first, 53 bits below 1 - p.
Words as_torch_draws(std::mt19937& words, double drop, std::size_t units) {
  Words kept((units + 63) / 64, 0);
  for (std::size_t i = 0; i < units; ++i) {
    const std::uint64_t high = words();
    const std::uint64_t word = high << 32U | words();
    const double u = static_cast<double>(word & 0x1fffffffffffffU) * 0x1p-53;
    if (u < 1 - drop) kept[i / 64] |= std::uint64_t{1} << (i % 64);
  }
  return kept;
}

void expect_torchs_rule() {
  for (const std::uint64_t seed : {0U, 5489U, 0xffffffffU}) {
    for (const double drop : {0.05, 0.1, 0.5, 0.9}) {
      std::mt19937 words(static_cast<std::uint32_t>(seed));
      // The upper half of a seed is not taken.
      MaskReplay replay(recipe_called("torch.bernoulli"), drop,
                        seed | std::uint64_t{7} << 32U);
      for (const std::size_t units : {1U, 63U, 4096U, 5000U, 20001U}) {
        EXPECT_EQ(mask_of(replay, units), as_torch_draws(words, drop, units));
      }
    }
  }
}

TEST(MaskReplay, IsTorchsRuleOnTheStandardLibrarysMersenneTwister) {
  testing::on_all_vector_sets(expect_torchs_rule);
}

RC_GTEST_PROP(MaskReplay, VectorsCompareAsScalarsDo, ()) {
  NumberRule rule;
  rule.words = *rc::gen::inRange(1, 3);
  rule.high_word_first = *rc::gen::arbitrary<bool>();
  rule.high_bits = *rc::gen::arbitrary<bool>();
  rule.bits = *rc::gen::inRange(1, 32 * rule.words + 1);
  const std::size_t decisions = *rc::gen::inRange<std::size_t>(1, 300);
  std::vector<std::uint32_t> words((decisions + 63) / 64 * 64 *
                                   static_cast<std::size_t>(rule.words));
  std::mt19937 random(*rc::gen::arbitrary<std::uint32_t>());
  // Numbers that equal the threshold are drawn, too.
  for (std::uint32_t& word : words) {
    word = static_cast<std::uint32_t>(random()) >> (random() % 32);
  }
  rule.threshold = number_of(rule, words.data());
  Words below((decisions + 63) / 64);
  numbers_below(rule, words.data(), decisions, below.data());
  for (std::size_t i = 0; i < decisions; ++i) {
    const std::uint64_t number =
        number_of(rule, &words[i * static_cast<std::size_t>(rule.words)]);
    RC_ASSERT((below[i / 64] >> (i % 64) & 1U) ==
              (number < rule.threshold ? 1U : 0U));
  }
}

// python3 -c 'import numpy; print(numpy.random.PCG64(SEED).random_raw(3))',
// NumPy 2.4.6.
TEST(MaskReplay, HasTheWordsOfNumPysPcg64) {
  const auto words = [](std::uint64_t seed) {
    const auto source = words_of(WordGenerator::kPcg64, seed);
    const std::uint32_t* halves = source->take(6);
    Words whole;
    for (std::size_t i = 0; i < 6; i += 2) {
      whole.push_back(halves[i] | std::uint64_t{halves[i + 1]} << 32U);
    }
    return whole;
  };
  EXPECT_EQ(words(0), (Words{0xa30febcfd9c2825f, 0x4510bdf882d9d721,
                             0x0a7d3da94ecde8b8}));
  EXPECT_EQ(words(5), (Words{0xce14abeeabb8e5a8, 0xced5352505cc99f5,
                             0x83ec603f7806adc0}));
  EXPECT_EQ(
      words(0x802bdc545d6b4b87),
      (Words{0x3972735257208c0f, 0x8f760999cdbc5e00, 0x8a4d040690753355}));
}

// numpy.random.default_rng(5).random(200) < .9, and then two calls of
// random(101, dtype=float32) and random(99, dtype=float32): half a word is
// left from one call to the next.
TEST(MaskReplay, HasTheDecisionsOfNumPysGenerator) {
  MaskReplay doubles(recipe_called("numpy.random"), 0.1, 5);
  EXPECT_EQ(mask_of(doubles, 200)[0], 0xff5dffffffffddffU);
  MaskReplay floats(recipe_called("numpy.random.f32"), 0.1, 5);
  const Words first = floats.next_values(101);
  const Words second = floats.next_values(99);
  EXPECT_EQ(Words(first.begin(), first.begin() + 3),
            (Words{11253989, 13505707, 380057}));
  EXPECT_EQ(Words(second.begin(), second.begin() + 3),
            (Words{1439917, 14143859, 14175519}));
}

// key = jax.random.PRNGKey(5); key, sub = jax.random.split(key);
// jax.random.bernoulli(sub, .9, (7, 11)) and (64,), first 64 bits; with
// jax_threefry_partitionable and without. JAX 0.10.2.
TEST(MaskReplay, HasTheDecisionsOfJaxsBernoulli) {
  const std::vector<RecipePart> split = {{"calls", "split"}, {"key", "seed"}};
  const auto first = [&](std::size_t units, const char* order) {
    auto parts = split;
    parts.emplace_back("order", order);
    MaskReplay replay(recipe_with("jax.bernoulli", parts), 0.1, 5);
    return mask_of(replay, units)[0];
  };
  EXPECT_EQ(first(77, "counter"), 0x7ffdfbfdeeffffffU);
  EXPECT_EQ(first(64, "counter"), 0x7ffdfbfdeeffffffU);
  EXPECT_EQ(first(77, "halves"), 0xf9deff7fe7fffdffU);
  EXPECT_EQ(first(64, "halves"), 0xffdfefffffbdffffU);
}

TEST(MaskReplay, SplitsAndFoldsKeysAsJaxDoes) {
  const auto pair = [](std::uint64_t first, std::uint64_t second) {
    return first << 32U | second;
  };
  EXPECT_EQ(threefry_split(5, 0, true), pair(2724472204, 3573582090));
  EXPECT_EQ(threefry_split(5, 1, true), pair(202567368, 3886822060));
  EXPECT_EQ(threefry_split(5, 0, false), pair(3594430910, 534832770));
  EXPECT_EQ(threefry_split(5, 1, false), pair(1784718894, 3813648515));
  EXPECT_EQ(threefry(5, 1), pair(202567368, 3886822060));
}

TEST(MaskReplay, HasTheWordsAndDecisionsOfTheReferenceStream) {
  for (const double drop : {0.1, 0.5}) {
    const auto probability = Probability::from_drop(drop);
    RandomStream stream(77);
    MaskReplay words(recipe_called("philox4x32-10"), drop, 77);
    RandomStream deciding(77);
    MaskReplay planes(recipe_called("dropcheck"), drop, 77);
    for (const std::size_t units : {1U, 130U, 12U, 7U, 64U, 5001U, 40001U, 777U,
                                    13U, 1U, 100U, 128U, 3U}) {
      Words due((units + 63) / 64, 0);
      for (std::size_t i = 0; i < units; ++i) {
        if (probability.keeps(stream.next())) {
          due[i / 64] |= std::uint64_t{1} << (i % 64);
        }
      }
      EXPECT_EQ(mask_of(words, units), due);
      deciding.decide(probability, units, due.data());
      EXPECT_EQ(mask_of(planes, units), due);
    }
  }
}

TEST(MaskReplay, BeginsAtTheOffset) {
  MaskReplay plain(recipe_called("philox4x32-10"), 0.3, 9);
  MaskReplay later(recipe_with("philox4x32-10", {{"offset", "128"}}), 0.3, 9);
  mask_of(plain, 64);
  EXPECT_EQ(mask_of(later, 64), mask_of(plain, 64));
}

TEST(MaskRecipe, GivesTheExactRateOfItsRule) {
  // 0.9 in f32 is 15099494 / 2^24.
  EXPECT_EQ(exact_drop(recipe_with("numpy.random.f32", {}), 0.1),
            DyadicFraction::of((1U << 24U) - 15099494, 24));
  const auto rule = [](const char* kept) {
    return exact_drop(
        recipe_with("numpy.random", {{"bits", "8"}, {"kept", kept}}), 0.1);
  };
  // 25.6 and 230.4 of 256.
  EXPECT_EQ(rule("u>=drop"), DyadicFraction::of(26, 8));
  EXPECT_EQ(rule("u<keep"), DyadicFraction::of(25, 8));
  EXPECT_EQ(exact_drop(recipe_with("numpy.random",
                                   {{"bits", "8"}, {"kept", "u>drop"}}),
                       0.5),
            DyadicFraction::of(129, 8));
}

TEST(MaskRecipe, IsWhatItsPartsSay) {
  for (const std::string_view name : recipe_names()) {
    const MaskRecipe recipe = recipe_called(name);
    EXPECT_EQ(recipe_of(parts_of(recipe)), recipe) << name;
    EXPECT_FALSE(in_words(recipe).empty());
  }
}

TEST(MaskRecipe, RefusesWhatMakesNoSense) {
  const auto refusal = [](const std::vector<RecipePart>& parts) {
    try {
      recipe_of(parts);
    } catch (const std::invalid_argument& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_NE(refusal({}).find("neither generator nor like"), std::string::npos);
  EXPECT_NE(refusal({{"like", "numpy"}}).find("numpy.random.f32"),
            std::string::npos);
  EXPECT_NE(refusal({{"generator", "lcg"}}).find("generator is 'lcg'"),
            std::string::npos);
  EXPECT_NE(refusal({{"generator", "pcg64"}, {"bits", "65"}}).find("1 to 64"),
            std::string::npos);
  EXPECT_NE(refusal({{"generator", "pcg64"}, {"word", "1"}}).find("'word'"),
            std::string::npos);
  for (const std::vector<RecipePart>& parts :
       std::vector<std::vector<RecipePart>>{
           {{"generator", "pcg64"}, {"words", "1"}},
           {{"generator", "pcg64"}, {"calls", "split"}},
           {{"generator", "threefry2x32"}, {"words", "1"}, {"bits", "23"}},
           {{"generator", "mt19937"}},
           {{"like", "dropcheck"}, {"bits", "32"}},
           {{"like", "jax.bernoulli"}, {"offset", "1"}}}) {
    EXPECT_NE(refusal(parts).find("recipe: "), std::string::npos);
  }
}

}  // namespace
}  // namespace dropcheck::impl
