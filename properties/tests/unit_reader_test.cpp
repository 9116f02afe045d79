// Drop bits of elements to drop bits of units, against a twin that goes over
// the elements one by one and knows nothing of runs.
//
// All three paths are taken: one element a unit (dropout), neighbours (the
// channels of dropout2d, samples, the whole tensor) and any other order
// (channels last, shared leading axes). Extents of 1 to 9 put the boundaries
// of units at every place within a word; runs of up to 324 elements are longer
// than one.
#include "unit_reader.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "dropcheck/impl/random_stream.hpp"

namespace dropcheck::properties {
namespace {

using impl::LayerConfig;
using impl::Shape;

struct Case {
  LayerConfig config;
  Shape shape;
  const impl::Law& law() const { return *impl::find_law(config.layer); }
};

Case any_case() {
  static const std::vector<LayerConfig> kConfigs{
      {.layer = "dropout"},
      {.layer = "dropout2d"},
      {.layer = "dropout2d", .channels_last = true},
      {.layer = "drop_path"},
      {.layer = "stochastic_depth"},
      {.layer = "broadcast_dropout"},
      {.layer = "broadcast_dropout", .shared_axes = {0}},
      {.layer = "broadcast_dropout", .shared_axes = {1, 2}},
      {.layer = "broadcast_dropout", .shared_axes = {0, 2}},
      {.layer = "broadcast_dropout", .shared_axes = {2, 3}}};
  Case result;
  result.config =
      kConfigs[*rc::gen::inRange<std::size_t>(0, kConfigs.size()).as("config")];
  result.shape =
      *rc::gen::container<Shape>(4, rc::gen::inRange<std::int64_t>(1, 10))
           .as("shape");
  return result;
}

bool bit(const std::vector<std::uint64_t>& words, std::int64_t i) {
  return ((words[static_cast<std::size_t>(i / 64)] >> (i % 64)) & 1U) != 0;
}

void flip(std::vector<std::uint64_t>& words, std::int64_t i) {
  words[static_cast<std::size_t>(i / 64)] ^= std::uint64_t{1} << (i % 64);
}

std::vector<std::uint64_t> words_of(std::int64_t bits) {
  return std::vector<std::uint64_t>(static_cast<std::size_t>((bits + 63) / 64) +
                                    1);
}

struct Masks {
  std::vector<std::uint64_t> elements;
  std::vector<std::uint64_t> units;
};

/// A random decision for each unit, and the elements that follow it.
Masks whole_masks(const UnitReader& reader,
                  const std::vector<std::uint32_t>& of, std::uint64_t key) {
  Masks masks{words_of(reader.elements()), words_of(reader.units())};
  for (std::int64_t unit = 0; unit < reader.units(); ++unit) {
    if ((impl::keyed_word(key, static_cast<std::uint64_t>(unit)) & 1U) != 0) {
      flip(masks.units, unit);
    }
  }
  for (std::int64_t i = 0; i < reader.elements(); ++i) {
    if (bit(masks.units, of[static_cast<std::size_t>(i)])) {
      flip(masks.elements, i);
    }
  }
  return masks;
}

RC_GTEST_PROP(UnitReader, ReadsWholeUnits, ()) {
  const Case it = any_case();
  const UnitReader reader(it.law(), it.config, it.shape);
  const auto of = impl::unit_of_element(it.law(), it.config, it.shape);
  const Masks masks =
      whole_masks(reader, of, *rc::gen::arbitrary<std::uint64_t>());
  auto units = words_of(reader.units());
  std::uint64_t torn = 0;
  RC_ASSERT(!reader.read(masks.elements.data(), units.data(), torn));
  RC_ASSERT(torn == 0u);
  RC_ASSERT(units == masks.units);
  for (std::int64_t i = 0; i < reader.elements(); ++i) {
    RC_ASSERT(reader.unit_of(i) == of[static_cast<std::size_t>(i)]);
  }
}

// A few elements are flipped. The twin says which elements then disagree with
// the first of their unit, and which units hold one.
RC_GTEST_PROP(UnitReader, FindsTornUnits, ()) {
  const Case it = any_case();
  const UnitReader reader(it.law(), it.config, it.shape);
  const auto of = impl::unit_of_element(it.law(), it.config, it.shape);
  Masks masks = whole_masks(reader, of, *rc::gen::arbitrary<std::uint64_t>());
  const auto flips =
      *rc::gen::container<std::vector<std::int64_t>>(
           3, rc::gen::inRange<std::int64_t>(0, reader.elements()))
           .as("flipped elements");
  for (const std::int64_t element : flips) flip(masks.elements, element);

  std::vector<std::int64_t> first_of(static_cast<std::size_t>(reader.units()),
                                     -1);
  std::vector<std::int64_t> odd;
  std::vector<std::uint32_t> torn_units;
  auto expected = words_of(reader.units());
  for (std::int64_t i = 0; i < reader.elements(); ++i) {
    const std::uint32_t unit = of[static_cast<std::size_t>(i)];
    if (first_of[unit] < 0) {
      first_of[unit] = i;
      if (bit(masks.elements, i)) flip(expected, unit);
    } else if (bit(masks.elements, i) != bit(masks.elements, first_of[unit])) {
      odd.push_back(i);
      torn_units.push_back(unit);
    }
  }
  auto units = words_of(reader.units());
  std::uint64_t torn = 0;
  const auto found = reader.read(masks.elements.data(), units.data(), torn);
  RC_ASSERT(found.has_value() == !odd.empty());
  RC_ASSERT(units == expected);
  if (odd.empty()) {
    RC_ASSERT(torn == 0u);
    return;
  }
  std::sort(torn_units.begin(), torn_units.end());
  torn_units.erase(std::unique(torn_units.begin(), torn_units.end()),
                   torn_units.end());
  RC_ASSERT(*found == odd.front());
  RC_ASSERT(torn >= torn_units.size());
  RC_ASSERT(torn <= odd.size());
}

// 5 channels of 3 x 50 elements: longer than two words, and off their
// boundaries. Every element but the first of its channel is torn in turn.
TEST(UnitReader, NamesTheTornElementWhereverItIs) {
  for (const bool last : {false, true}) {
    const LayerConfig config{.layer = "dropout2d", .channels_last = last};
    const impl::Law& law = *impl::find_law("dropout2d");
    const Shape shape = last ? Shape{1, 3, 50, 5} : Shape{1, 5, 3, 50};
    const UnitReader reader(law, config, shape);
    ASSERT_EQ(reader.units(), 5);
    for (std::int64_t i = 0; i < reader.elements(); ++i) {
      const bool first = last ? i < 5 : i % 150 == 0;
      if (first) continue;
      auto elements = words_of(reader.elements());
      flip(elements, i);
      auto units = words_of(5);
      std::uint64_t torn = 0;
      EXPECT_EQ(reader.read(elements.data(), units.data(), torn), i);
      EXPECT_EQ(torn, 1u);
      EXPECT_EQ(units[0], 0u);
    }
  }
}

}  // namespace
}  // namespace dropcheck::properties
