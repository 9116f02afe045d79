// Normal numbers by vectors are those of their definition, and those of the
// plain twin bit for bit.
#include "src/normals.hpp"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

#include "dropcheck/impl/random_stream.hpp"
#include "vector_sets.hpp"

namespace dropcheck::impl {
namespace {

using Words = std::vector<std::uint64_t>;

/// Random words, and between them the least, the largest and those around the
/// quarters of the circle.
Words words_of(std::uint64_t seed, std::size_t count) {
  Words words(count);
  RandomStream(seed).fill(words);
  for (std::size_t i = 0; i + 1 < count; i += 5) {
    const std::uint64_t eighths = (i % 8) << 61U;
    words[i] = eighths + i / 8 % 3 - 1;
    words[i + 1] ^= i % 3 == 0 ? words[i + 1] : 0;
  }
  if (count > 9) words[9] = ~std::uint64_t{0};
  return words;
}

std::vector<double> doubles_of(const Words& words) {
  std::vector<double> numbers(words.size());
  normals_of_words(words.data(), words.size() / 2, numbers.data());
  return numbers;
}

std::vector<float> floats_of(const Words& words) {
  std::vector<float> numbers(2 * words.size());
  normals_of_words(words.data(), words.size(), numbers.data(),
                   numbers.data() + words.size());
  return numbers;
}

RC_GTEST_PROP(Normals, AreThoseOfThePlainTwinBitForBit, (std::uint64_t seed)) {
  const auto pairs = *rc::gen::inRange<std::size_t>(0, 70);
  const Words words = words_of(seed, 2 * pairs);
  std::vector<double> doubles(words.size());
  normals_of_words_plainly(words.data(), pairs, doubles.data());
  std::vector<float> floats(2 * words.size());
  normals_of_words_plainly(words.data(), words.size(), floats.data(),
                           floats.data() + words.size());
  testing::on_all_vector_sets([&] {
    RC_ASSERT(doubles_of(words) == doubles);
    RC_ASSERT(floats_of(words) == floats);
  });
}

TEST(Normals, AreWithin1eMinus15OfTheirDefinition) {
  const Words words = words_of(11, 1 << 16);
  const std::vector<double> numbers = doubles_of(words);
  for (std::size_t i = 0; i < words.size(); i += 2) {
    const auto angle = static_cast<long double>(
        static_cast<double>(static_cast<std::int64_t>(words[i])) * 0x1p-64 +
        0x1p-65);
    const auto u = static_cast<long double>(
        static_cast<double>(words[i + 1]) * 0x1p-64 + 0x1p-65);
    const long double radius = std::sqrt(-2 * std::log(u));
    const long double turned = 2 * std::numbers::pi_v<long double> * angle;
    const double error = 1e-15 * static_cast<double>(radius);
    ASSERT_NEAR(numbers[i], static_cast<double>(radius * std::sin(turned)),
                error)
        << i;
    ASSERT_NEAR(numbers[i + 1], static_cast<double>(radius * std::cos(turned)),
                error)
        << i;
  }
}

TEST(Normals, InF32AreWithin1eMinus6OfTheirDefinition) {
  const Words words = words_of(12, 1 << 16);
  const std::vector<float> numbers = floats_of(words);
  const auto unit = [](std::uint64_t bits) {
    return static_cast<double>((static_cast<float>(bits) + 0.5F) * 0x1p-32F);
  };
  for (std::size_t i = 0; i < words.size(); ++i) {
    const double radius =
        std::sqrt(-2 * std::log(unit(words[i] & 0xffffffffU)));
    const double turned = 2 * std::numbers::pi * unit(words[i] >> 32U);
    const double error = 1e-6 * radius;
    ASSERT_NEAR(numbers[i], radius * std::cos(turned), error) << i;
    ASSERT_NEAR(numbers[words.size() + i], radius * std::sin(turned), error)
        << i;
  }
}

}  // namespace
}  // namespace dropcheck::impl
