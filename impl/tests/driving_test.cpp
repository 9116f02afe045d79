// Layers whose random words are given. What is proved about driven calls must
// hold for the others: a layer that is driven by the words of its own
// generator gives the bits that it gives by itself.
#include <gmock/gmock.h>

#include <limits>
#include <stdexcept>
#include <vector>

#include "dropcheck/impl/dyadic_fraction.hpp"
#include "dropcheck/impl/law.hpp"
#include "dropcheck/impl/random_stream.hpp"
#include "dropcheck/impl/simple_layer.hpp"
#include "support.hpp"

namespace dropcheck::impl {
namespace {

using testing::builtin;
using testing::counting;
using ::testing::ElementsAre;
using testing::faulty;
using testing::filled;
using testing::shape_for;
using testing::values_of;

using Words = std::vector<std::uint64_t>;

constexpr std::uint64_t kLargestWord =
    std::numeric_limits<std::uint64_t>::max();

Words words_of(std::uint64_t seed, std::size_t count) {
  Words words(count);
  for (std::size_t i = 0; i < count; ++i) {
    words[i] = testing::decision_word(seed, i);
  }
  return words;
}

std::size_t units_of(const LayerConfig& config, const Shape& input) {
  return static_cast<std::size_t>(testing::words_a_call(config, input));
}

TEST(RandomStream, PlaysGivenWordsInOrder) {
  const Words given{1, 2, 3, 4, 5, 6};
  auto stream = RandomStream::playing(given);
  EXPECT_EQ(stream.next(), 1U);
  Words filled(3);
  stream.fill(filled);
  EXPECT_THAT(filled, ElementsAre(2, 3, 4));
  EXPECT_EQ(stream.next(), 5U);
  EXPECT_EQ(stream.drawn(), 5U);
  EXPECT_THROW(stream.fill(filled), std::out_of_range);
  EXPECT_EQ(stream.next(), 6U);
  EXPECT_THROW(stream.next(), std::out_of_range);
}

TEST(RandomStream, GoesOnWhereItWasAfterPlaying) {
  const Words given{7, 8};
  RandomStream plain(3);
  RandomStream played(3);
  EXPECT_EQ(played.next(), plain.next());
  EXPECT_EQ(while_playing(played, given, [&] { played.next(); }), 1U);
  EXPECT_EQ(played.next(), plain.next());
  EXPECT_THROW(while_playing(played, {}, [&] { played.next(); }),
               std::out_of_range);
  EXPECT_EQ(played.next(), plain.next());
}

TEST(DrivenLayers, DecideAsTheyDoByTheirOwnGenerator) {
  for (const SubjectEntry& entry : builtin_subjects()) {
    auto configs = entry.variants;
    configs.push_back({.layer = entry.layer});
    for (LayerConfig config : configs) {
      config.drop_probability = .3;
      const Shape shape = shape_for(entry.layer);
      const std::size_t units = units_of(config, shape);
      Tensor input = counting(config.dtype, shape);
      Tensor same = counting(config.dtype, shape);
      const auto layer = builtin(config);
      if (layer->word_bits() == 0) continue;
      layer->reseed(11);
      const auto own = values_of(layer->forward({.input = input.view()}));
      layer->reseed(99);
      const Driven driven =
          layer->drive({.input = same.view()}, words_of(11, units));
      EXPECT_EQ(values_of(driven.output), own) << describe(config);
      EXPECT_EQ(driven.words_read, units) << describe(config);
      EXPECT_EQ(layer->word_bits(), 64);
    }
  }
}

TEST(DrivenLayers, LeaveTheGeneratorAsItWas) {
  Tensor ones = filled(DType::kFloat32, {64}, 1);
  const auto layer = builtin({.layer = "dropout"});
  layer->reseed(5);
  const auto plain = values_of(layer->forward({.input = ones.view()}));
  layer->reseed(5);
  layer->drive({.input = ones.view()}, Words(64));
  EXPECT_EQ(values_of(layer->forward({.input = ones.view()})), plain);
}

TEST(DrivenLayers, GoThroughTheWordsCallByCall) {
  Tensor ones = filled(DType::kFloat32, {2}, 1);
  const auto layer = builtin({.layer = "dropout", .drop_probability = .5});
  const Driven driven = layer->drive({.input = ones.view(), .repeat = 2},
                                     Words{0, kLargestWord, kLargestWord, 0});
  EXPECT_THAT(values_of(driven.output), ElementsAre(2, 0, 0, 2));
  EXPECT_EQ(driven.words_read, 4U);
}

TEST(DrivenLayers, RefuseTooFewWords) {
  Tensor ones = filled(DType::kFloat32, {3}, 1);
  const auto layer = builtin({.layer = "dropout"});
  EXPECT_THROW(layer->drive({.input = ones.view()}, Words(2)), LayerError);
  EXPECT_NO_THROW(layer->forward({.input = ones.view()}));
}

TEST(DrivenLayers, TakeRightAlignedWordsOfTheirWidth) {
  Tensor ones = filled(DType::kFloat32, {4}, 1);
  const auto layer = faulty("threshold_8bit", {.drop_probability = .1});
  EXPECT_EQ(layer->word_bits(), 8);
  const Driven driven =
      layer->drive({.input = ones.view()}, Words{0, 229, 230, 255});
  const auto y = values_of(driven.output);
  EXPECT_GT(y[1], 0);
  EXPECT_EQ(y[2], 0);
}

/// The least that a layer must offer: it cannot be driven.
struct Identity {
  Shape output_shape(const TensorView& input) const { return input.shape; }
  void forward(const TensorView& input, bool, const TensorView& output) {
    copy(input, output);
  }
  void backward(const TensorView& input, const TensorView& output) {
    copy(input, output);
  }
  void reseed(std::uint64_t) {}
};
static_assert(InProcessLayer<Identity> && !DrivableLayer<Identity>);

TEST(DrivenLayers, NeedNotBe) {
  Tensor ones = filled(DType::kFloat32, {3}, 1);
  SimpleLayer<Identity> layer({}, false);
  EXPECT_EQ(layer.word_bits(), 0);
  EXPECT_THROW(layer.drive({.input = ones.view()}, Words(3)), NotSupported);
}

TEST(DyadicFraction, IsInLowestTerms) {
  EXPECT_EQ(to_string(DyadicFraction::of(26, 8)), "13/128");
  EXPECT_EQ(to_string(DyadicFraction::of(0, 8)), "0");
  EXPECT_EQ(to_string(DyadicFraction::of(256, 8)), "1");
  EXPECT_EQ(to_string(DyadicFraction::of(1677722, 24)), "838861/2^23");
  EXPECT_EQ(to_string(DyadicFraction::of(1, 64).complement()),
            "18446744073709551615/2^64");
  EXPECT_EQ(DyadicFraction::of(13, 7).complement(), DyadicFraction::of(115, 7));
  EXPECT_EQ(DyadicFraction{}.complement(), DyadicFraction::of(1, 0));
  EXPECT_EQ(DyadicFraction::of(1, 0).complement(), DyadicFraction{});
  EXPECT_THROW(DyadicFraction::of(257, 8), std::invalid_argument);
  EXPECT_THROW(DyadicFraction::of(1, 65), std::invalid_argument);
  EXPECT_THROW(DyadicFraction::of(0, -1), std::invalid_argument);
}

// 13/128 = .1015625; the double .1 is 2^64 / 10 + .4 steps of 2^-64, and its
// last bit is 2^-56.
TEST(DyadicFraction, KnowsItsErrorHoweverSmall) {
  EXPECT_DOUBLE_EQ(DyadicFraction::of(26, 8).error(.1), .1015625 - .1);
  const std::uint64_t tenth = 1844674407370955264U;
  EXPECT_EQ(DyadicFraction::of(tenth, 64).error(.1), 0);
  EXPECT_EQ(DyadicFraction::of(tenth + 1, 64).error(.1), 0x1p-64);
  EXPECT_EQ(DyadicFraction::of(1, 64).error(0), 0x1p-64);
  EXPECT_EQ(DyadicFraction::of(1, 0).error(1), 0);
  EXPECT_EQ(DyadicFraction::of(1, 64).complement().error(1), -0x1p-64);
}

}  // namespace
}  // namespace dropcheck::impl
