// The vectorised code against the readable one, on every set of vectors that
// this processor has: the same bits for generated seeds, places, lengths,
// probabilities, shapes and dtypes.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dropcheck/impl/law.hpp"
#include "dropcheck/impl/random_stream.hpp"
#include "dropcheck/impl/unit_bits.hpp"
#include "reference/layers.hpp"
#include "reference/masked_layer.hpp"
#include "src/decisions.hpp"
#include "support.hpp"
#include "vector_sets.hpp"

namespace dropcheck::impl {
namespace {

using testing::decision_word;
using testing::on_all_vector_sets;
using Words = std::vector<std::uint64_t>;

std::uint64_t any_word(const char* name) {
  return *rc::gen::arbitrary<std::uint64_t>().as(name);
}

std::size_t any_count(std::size_t most, const char* name) {
  return *rc::gen::inRange<std::size_t>(0, most + 1).as(name);
}

double any_drop() {
  static const std::vector<double> kSpecial{
      0, 1, .5, .25, .75, .1, .9, 1 - 0x1p-53, 0x1p-60, 0x1p-64, 1e-3};
  if (any_count(1, "special") == 1) {
    return *rc::gen::elementOf(kSpecial).as("drop probability");
  }
  return static_cast<double>(any_word("drop in 2^-64") >> 11U) * 0x1p-53;
}

/// Any threshold, those with few digits and few decided early among them.
std::uint64_t any_threshold() {
  const std::uint64_t word = any_word("threshold");
  return word << any_count(63, "trailing zeros");
}

bool bit_of(const Words& words, std::size_t i) {
  return (words[i / 64] >> (i % 64) & 1U) != 0;
}

TEST(Decisions, AreThoseOfThePlainCode) {
  EXPECT_TRUE(rc::check([] {
    const DecisionRule rule{any_word("seed"), any_threshold()};
    const std::uint64_t first = any_word("first");
    const std::size_t groups = any_count(70, "groups");
    Words plain(2 * groups);
    decide_groups_plainly(rule, first, groups, plain.data());
    on_all_vector_sets([&] {
      Words fast(2 * groups + 1, 7);
      decide_groups(rule, first, groups, fast.data());
      RC_ASSERT(fast.back() == 7U);
      fast.pop_back();
      RC_ASSERT(fast == plain);
    });
  }));
}

// More groups than are decided together, some over the carry of the lower half
// of their number.
TEST(Decisions, OfManyGroupsAreThoseOfThePlainCode) {
  for (const double drop : {.1, .5, .75, 1e-3, 1 - 0x1p-53}) {
    for (const std::uint64_t first :
         {std::uint64_t{3}, 0x1ffffff00U + std::uint64_t{7},
          ~std::uint64_t{600}}) {
      const DecisionRule rule{first + 1,
                              Probability::from_drop(drop).keep_threshold()};
      for (const std::size_t groups : {511U, 512U, 513U, 1100U}) {
        Words plain(2 * groups);
        decide_groups_plainly(rule, first, groups, plain.data());
        on_all_vector_sets([&] {
          Words fast(2 * groups, 7);
          decide_groups(rule, first, groups, fast.data());
          ASSERT_EQ(fast, plain) << drop << ", " << groups << " groups";
        });
      }
    }
  }
}

TEST(Decisions, OfLongRequestsFollowThoseOfShortOnes) {
  EXPECT_TRUE(rc::check([] {
    const std::uint64_t seed = any_word("seed");
    const auto keep = Probability::from_drop(any_drop());
    RandomStream one(seed);
    RandomStream many(seed);
    for (int request = 0; request < 3; ++request) {
      const std::size_t count = any_count(150000, "count");
      Words kept(count / 64 + 2, ~std::uint64_t{0});
      many.decide(keep, count, kept.data());
      for (std::size_t done = 0; done < count; done += 4000) {
        const std::size_t part = std::min<std::size_t>(4000, count - done);
        Words some(part / 64 + 1);
        one.decide(keep, part, some.data());
        for (std::size_t i = 0; i < part; i += 1 + i / 2000) {
          RC_ASSERT(bit_of(kept, done + i) == bit_of(some, i));
        }
      }
      if (count % 64 != 0) RC_ASSERT(kept[count / 64] >> (count % 64) == 0U);
      RC_ASSERT(kept[(count + 63) / 64] == ~std::uint64_t{0});
    }
    RC_ASSERT(one.drawn() == many.drawn());
  }));
}

// Requests of any length, one after the other, with words drawn in between.
TEST(Decisions, CompareTheirWordsWithTheThreshold) {
  EXPECT_TRUE(rc::check([] {
    const std::uint64_t seed = any_word("seed");
    const auto keep = Probability::from_drop(any_drop());
    RandomStream stream(seed);
    std::size_t decided = any_count(5000, "skipped");
    Words skipped(decided / 64 + 1);
    stream.decide(keep, decided, skipped.data());
    for (int request = 0; request < 3; ++request) {
      const std::size_t count = any_count(130, "count");
      Words kept(count / 64 + 2, ~std::uint64_t{0});
      stream.decide(keep, count, kept.data());
      for (std::size_t i = 0; i < count; ++i) {
        RC_ASSERT(bit_of(kept, i) ==
                  keep.keeps(decision_word(seed, decided + i)));
      }
      if (count % 64 != 0) RC_ASSERT(kept[count / 64] >> (count % 64) == 0U);
      RC_ASSERT(kept[(count + 63) / 64] == ~std::uint64_t{0});
      decided += count;
      stream.next();
    }
    RC_ASSERT(stream.drawn() == decided + 3);
  }));
}

TEST(Decisions, FollowTheThresholdThatIsAskedFor) {
  RandomStream one(5);
  Words first(2), second(2);
  one.decide(Probability::from_drop(.1), 100, first.data());
  one.decide(Probability::from_drop(.5), 100, second.data());
  for (std::size_t i = 0; i < 100; ++i) {
    EXPECT_EQ(bit_of(second, i),
              Probability::from_drop(.5).keeps(decision_word(5, 100 + i)));
  }
}

TEST(Decisions, ByGivenWordsAreThoseOfTheThreshold) {
  EXPECT_TRUE(rc::check([] {
    const std::uint64_t threshold = any_threshold();
    Words words(any_count(300, "count"));
    const std::uint64_t seed = any_word("seed");
    RandomStream(seed).fill(words);
    // Near the threshold, where every bit counts.
    for (std::size_t i = 0; i < words.size(); i += 3) {
      words[i] = threshold + i % 5 - 2;
    }
    on_all_vector_sets([&] {
      Words kept(words.size() / 64 + 1);
      decide_words(threshold, words, kept.data());
      for (std::size_t i = 0; i < words.size(); ++i) {
        RC_ASSERT(bit_of(kept, i) == (words[i] < threshold));
      }
    });
  }));
}

/// A tensor and the axes that its units share.
struct Sharing {
  Shape elements;
  Shape units;

  /// The unit of an element, axis by axis.
  std::size_t unit_of(std::size_t element) const {
    std::size_t unit = 0;
    std::size_t stride = 1;
    for (std::size_t axis = elements.size(); axis-- > 0;) {
      const auto extent = static_cast<std::size_t>(elements[axis]);
      if (units[axis] != 1) {
        unit += stride * (element % extent);
        stride *= extent;
      }
      element /= extent;
    }
    return unit;
  }
};

Sharing any_sharing() {
  Sharing sharing;
  sharing.elements.resize(any_count(4, "axes"));
  for (std::int64_t& extent : sharing.elements) {
    extent = static_cast<std::int64_t>(any_count(7, "extent"));
  }
  if (!sharing.elements.empty()) {
    sharing.elements[any_count(sharing.elements.size() - 1, "long axis")] *=
        static_cast<std::int64_t>(any_count(40, "times"));
  }
  sharing.units = sharing.elements;
  for (std::int64_t& extent : sharing.units) {
    if (any_count(1, "shared") == 1) extent = 1;
  }
  return sharing;
}

TEST(UnitBits, AreThoseOfTheAxes) {
  EXPECT_TRUE(rc::check([] {
    const Sharing sharing = any_sharing();
    const auto elements =
        static_cast<std::size_t>(element_count(sharing.elements));
    const auto count = static_cast<std::size_t>(element_count(sharing.units));
    Words units(count / 64 + 1), gathered(units), spread(elements / 64 + 1);
    RandomStream stream(any_word("seed"));
    stream.decide(Probability::from_drop(.4), count, units.data());
    const UnitBits places(sharing.units, sharing.elements);
    places.spread(units.data(), spread.data());
    for (std::size_t i = 0; i < elements; ++i) {
      RC_ASSERT(bit_of(spread, i) == bit_of(units, sharing.unit_of(i)));
    }
    if (elements % 64 != 0) RC_ASSERT(spread.back() >> (elements % 64) == 0U);
    if (elements == 0) return;
    RC_ASSERT(places.gather(spread.data(), gathered.data()));
    RC_ASSERT(gathered == units);
    // One element alone can disagree only where its unit has others.
    const std::size_t odd = any_count(elements - 1, "odd");
    spread[odd / 64] ^= std::uint64_t{1} << (odd % 64);
    RC_ASSERT(places.gather(spread.data(), gathered.data()) ==
              (elements == count));
  }));
}

Shape any_shape(const Law& law) {
  const auto least = static_cast<std::size_t>(law.minimum_rank);
  const std::size_t most =
      std::min<std::size_t>(static_cast<std::size_t>(law.maximum_rank), 5);
  Shape shape(least + any_count(most - least, "more axes"));
  for (std::int64_t& extent : shape) {
    extent = static_cast<std::int64_t>(any_count(9, "extent"));
  }
  // Now and then a row of several pieces.
  if (!shape.empty() && any_count(3, "long") == 0) shape.back() *= 500;
  return shape;
}

struct Case {
  LayerConfig config;
  std::uint64_t seed = 0;
  Tensor input;
  reference::MakeRule rule = nullptr;

  reference::MaskedLayer layer(reference::Path path) const {
    reference::MaskedLayer made(config, rule(config), path);
    made.reseed(seed);
    return made;
  }
};

Case any_case() {
  std::vector<const Law*> masked;
  for (const Law& law : laws()) {
    if (reference::find_rule(law.layer) != nullptr) masked.push_back(&law);
  }
  const Law& law = **rc::gen::elementOf(masked).as("law");
  Case test;
  test.rule = reference::find_rule(law.layer);
  test.config.layer = law.layer;
  test.config.drop_probability = any_drop();
  if (law.options.at_one == AtOne::kError && test.config.drop_probability == 1)
    test.config.drop_probability = .5;
  test.config.dtype = static_cast<DType>(any_count(3, "dtype"));
  test.config.scale_by_keep = any_count(1, "scale") == 1;
  const Shape shape = any_shape(law);
  if (law.unit == Unit::kSharedAxes && !shape.empty()) {
    test.config.shared_axes = {
        static_cast<int>(any_count(shape.size() - 1, "shared axis"))};
  }
  if (law.unit == Unit::kBlock) {
    test.config.block.size =
        static_cast<std::int64_t>(1 + any_count(4, "block"));
    test.config.block.whole_map = any_count(1, "whole map") == 1;
    test.config.block.plain_gamma = any_count(1, "plain gamma") == 1;
    test.config.block.shared_by_channels = any_count(1, "coupled") == 1;
    test.config.block.fixed_scale = any_count(1, "fixed scale") == 1;
  }
  test.seed = any_word("seed");
  test.input = Tensor(test.config.dtype, shape);
  std::vector<std::uint64_t> words(test.input.byte_count() / 8 + 1);
  RandomStream(any_word("input")).fill(words);
  const auto bytes = std::as_bytes(std::span(words));
  std::copy_n(bytes.begin(), test.input.byte_count(), test.input.bytes());
  return test;
}

std::vector<std::byte> bytes_of(const Tensor& tensor) {
  return {tensor.bytes(), tensor.bytes() + tensor.byte_count()};
}

/// A result of three calls, the gradient of the last one at the end.
std::vector<std::vector<std::byte>> results_of(const Case& test,
                                               reference::Path path) {
  auto layer = test.layer(path);
  std::vector<std::vector<std::byte>> results;
  Tensor output(test.config.dtype, test.input.shape());
  for (int call = 0; call < 3; ++call) {
    layer.forward(test.input.view(), true, output.view());
    results.push_back(bytes_of(output));
  }
  layer.backward(test.input.view(), output.view());
  results.push_back(bytes_of(output));
  Tensor own = test.input;
  layer.forward(own.view(), true, own.view());
  results.push_back(bytes_of(own));
  return results;
}

// The inputs are any bits at all: NaN of both kinds, infinities, subnormals.
TEST(FastLayers, GiveTheBitsOfTheReadableOnes) {
  EXPECT_TRUE(rc::check([] {
    const Case test = any_case();
    const auto readable = results_of(test, reference::Path::kReadable);
    on_all_vector_sets([&] {
      RC_ASSERT(results_of(test, reference::Path::kFast) == readable);
    });
  }));
}

using Joined = std::vector<std::vector<std::byte>>;

/// What the pieces of each call are together; nothing where none are offered.
std::optional<Joined> joined_pieces(reference::MaskedLayer& layer,
                                    const Tensor& input, PieceCalls calls) {
  Joined joined(static_cast<std::size_t>(calls.count));
  const std::size_t width = size_of(input.dtype());
  bool in_order = true;
  std::int64_t ended = 0;
  const bool offered =
      layer.forward_in_pieces(input.view(), calls, [&](const Piece& piece) {
        auto& call = joined.at(static_cast<std::size_t>(piece.call));
        in_order = in_order && piece.first % 64 == 0 &&
                   static_cast<std::size_t>(piece.first) * width == call.size();
        const auto* begin = static_cast<const std::byte*>(piece.values);
        call.insert(call.end(), begin,
                    begin + static_cast<std::size_t>(piece.count) * width);
        if (piece.first + piece.count < input.size()) return;
        in_order = in_order && piece.call == ended++;
      });
  EXPECT_TRUE(in_order);
  if (!offered) return std::nullopt;
  return joined;
}

TEST(FastLayers, GiveTheSameInPieces) {
  EXPECT_TRUE(rc::check([&] {
    const Case test = any_case();
    auto whole = test.layer(reference::Path::kFast);
    auto parted = test.layer(reference::Path::kFast);
    Tensor output(test.config.dtype, test.input.shape());
    const auto calls =
        static_cast<std::int64_t>(1 + any_count(3, "calls besides one"));
    for (int request = 0; request < 4; ++request) {
      const auto joined =
          joined_pieces(parted, test.input, {calls, request % 2 == 1});
      if (!joined) return;
      for (const auto& call : *joined) {
        whole.forward(test.input.view(), true, output.view());
        RC_ASSERT(call == bytes_of(output));
      }
    }
  }));
}

// Sizes that random cases seldom have.
TEST(FastLayers, GiveSeveralPiecesOfALongCall) {
  for (const DType dtype : {DType::kFloat32, DType::kFloat64}) {
    for (const std::int64_t size : {2047, 2048, 4097, 12293, 65537, 140000}) {
      LayerConfig config{.layer = "dropout", .drop_probability = .1};
      config.dtype = dtype;
      const auto rule = reference::find_rule("dropout");
      reference::MaskedLayer whole(config, rule(config));
      reference::MaskedLayer parted(config, rule(config));
      whole.reseed(5);
      parted.reseed(5);
      Tensor input(dtype, {size});
      for (std::int64_t i = 0; i < size; ++i) {
        input.view().set(i, 1 + static_cast<double>(i));
      }
      Tensor output(dtype, {size});
      for (const std::int64_t calls : {1, 3}) {
        const auto joined = joined_pieces(parted, input, {calls, false});
        ASSERT_TRUE(joined.has_value());
        for (const auto& call : *joined) {
          whole.forward(input.view(), true, output.view());
          EXPECT_TRUE(call == bytes_of(output)) << size;
        }
      }
    }
  }
}

TEST(FastLayers, HaveNoGradientOfPieces) {
  const LayerConfig config{.layer = "dropout"};
  reference::MaskedLayer layer(config, reference::find_rule("dropout")(config));
  Tensor ones = testing::filled(DType::kFloat32, {8}, 1);
  EXPECT_TRUE(layer.forward_in_pieces(ones.view(), {}, [](const Piece&) {}));
  EXPECT_THROW(layer.backward(ones.view(), ones.view()), std::invalid_argument);
}

}  // namespace
}  // namespace dropcheck::impl
