// Counting, against twins that look at one decision at a time, and merging.
//
// A certificate must not depend on how many threads counted, so a merge is
// exact and associative; the order of blocks is kept (drops per row, first
// witness), so it need not commute. Rows of 1 to 700 bits have lags within a
// word, across words and of half a row.
#include "tally.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <vector>

#include "dropcheck/impl/random_stream.hpp"
#include "sampler.hpp"
#include "structure_plan.hpp"
#include "support.hpp"

namespace dropcheck::properties {
namespace {

std::vector<std::uint64_t> any_row(std::int64_t bits, std::uint64_t key) {
  std::vector<std::uint64_t> words(static_cast<std::size_t>((bits + 63) / 64));
  for (std::int64_t i = 0; i < bits; ++i) {
    const auto index = static_cast<std::uint64_t>(i);
    words[static_cast<std::size_t>(i / 64)] |=
        std::uint64_t{impl::keyed_word(key, index) % 10 < 3} << (i % 64);
  }
  return words;
}

bool bit(const std::vector<std::uint64_t>& words, std::int64_t i) {
  return ((words[static_cast<std::size_t>(i / 64)] >> (i % 64)) & 1U) != 0;
}

Tally any_tally() {
  const auto number = [] { return *rc::gen::inRange<std::uint64_t>(0, 1000); };
  Tally tally;
  tally.rate = {number(), number() + 1000};
  tally.calls = number();
  tally.wrong_calls = number();
  tally.torn_units = number();
  if (number() % 2 == 0) tally.wrong = Witness{number(), 1, 2, 3.5};
  if (number() % 2 == 0) tally.torn = Witness{number(), 4, 5, 6.5};
  const impl::Shape units{static_cast<std::int64_t>(number() % 700) + 1};
  const StructurePlan plan = make_structure_plan(units, 20);
  // A block beyond the structure prefix has no structure at all.
  if (number() % 3 == 0) return tally;
  for (int row = 0; row < 2; ++row) {
    count_row(any_row(plan.row_bits, number()).data(), plan, tally);
  }
  // Groups without a keep or a drop are rare, but must not be lost.
  tally.groups.front() += number();
  tally.groups.back() += number();
  tally.positions.assign(number() % 5, 3);
  tally.call_lags.assign(number() % 5, {4, 3, 2, 1});
  return tally;
}

Tally merged(Tally a, const Tally& b) {
  a.merge(b);
  return a;
}

RC_GTEST_PROP(Tally, MergesAssociatively, ()) {
  const Tally a = any_tally();
  const Tally b = any_tally();
  const Tally c = any_tally();
  RC_ASSERT(merged(merged(a, b), c) == merged(a, merged(b, c)));
  RC_ASSERT(merged(a, Tally{}) == a);
  RC_ASSERT(merged(Tally{}, a) == a);
}

TEST(Tally, KeepsTheFirstWitness) {
  Tally a;
  Tally b;
  a.wrong = Witness{1, 2, 3, 4};
  b.wrong = Witness{5, 6, 7, 8};
  b.torn = Witness{9, 9, 9, 9};
  const Tally both = merged(a, b);
  EXPECT_EQ(both.wrong, a.wrong);
  EXPECT_EQ(both.torn, b.torn);
}

RC_GTEST_PROP(CountRow, AgreesWithItsTwin, ()) {
  const auto key = *rc::gen::arbitrary<std::uint64_t>().as("key");
  const auto units = *rc::gen::inRange<std::int64_t>(1, 700).as("units");
  const StructurePlan plan = make_structure_plan({units}, 16);
  const auto row = any_row(plan.row_bits, key);
  Tally tally;
  count_row(row.data(), plan, tally);
  count_row(row.data(), plan, tally);

  std::uint64_t drops = 0;
  for (std::int64_t i = 0; i < plan.row_bits; ++i) {
    drops += bit(row, i) ? 1U : 0U;
  }
  RC_ASSERT(tally.structure_rows == 2u);
  RC_ASSERT((
      tally.structure_rate ==
      stats::Counts{2 * drops, 2 * static_cast<std::uint64_t>(plan.row_bits)}));
  RC_ASSERT(tally.drops_per_row ==
            std::vector<std::uint32_t>(2, static_cast<std::uint32_t>(drops)));

  std::array<std::uint64_t, Tally::kGroup + 1> groups{};
  for (std::int64_t begin = 0; begin + 64 <= plan.row_bits; begin += 64) {
    std::size_t inside = 0;
    for (std::int64_t i = begin; i < begin + 64; ++i) inside += bit(row, i);
    groups[inside] += 2;
  }
  RC_ASSERT(tally.groups == groups);

  RC_ASSERT(tally.lags.size() == plan.lags.size());
  for (std::size_t j = 0; j < plan.lags.size(); ++j) {
    PairCounts twin;
    const auto lag = static_cast<std::int64_t>(plan.lags[j]);
    for (std::int64_t i = lag; i < plan.row_bits; ++i) {
      ++twin.pairs;
      twin.earlier += bit(row, i - lag) ? 1U : 0U;
      twin.later += bit(row, i) ? 1U : 0U;
      twin.both += bit(row, i) && bit(row, i - lag) ? 1U : 0U;
    }
    PairCounts twice = twin;
    twice += twin;
    RC_ASSERT(tally.lags[j] == twice);
  }
}

RC_GTEST_PROP(StructurePlan, HasLagsInOrderBelowHalfARow, ()) {
  const auto shape =
      *rc::gen::container<impl::Shape>(3, rc::gen::inRange<std::int64_t>(1, 20))
           .as("unit shape");
  const auto calls = *rc::gen::inRange<std::int64_t>(1, 600).as("calls");
  const StructurePlan plan = make_structure_plan(shape, calls);
  RC_ASSERT(plan.units == shape[0] * shape[1] * shape[2]);
  RC_ASSERT(plan.flat == (plan.units < 64));
  RC_ASSERT(plan.row_bits == (plan.flat ? plan.units * calls : plan.units));
  RC_ASSERT(std::is_sorted(plan.lags.begin(), plan.lags.end()));
  for (const std::size_t lag : plan.lags) {
    RC_ASSERT(lag >= 1u);
    RC_ASSERT(2 * lag <= static_cast<std::size_t>(plan.row_bits) + 1);
  }
  for (const std::int64_t stride : {shape[1] * shape[2], shape[2]}) {
    for (const std::int64_t lag : {stride - 1, stride, stride + 1}) {
      if (lag < 1 || 2 * lag > plan.row_bits) continue;
      RC_ASSERT(std::count(plan.lags.begin(), plan.lags.end(),
                           static_cast<std::size_t>(lag)) == 1);
    }
  }
}

/// The blocks of a reference layer, and its outputs read naively.
struct Drawn {
  Tally tally;
  std::vector<std::vector<bool>> calls;  // drop of each unit
};

/// Block 3 of an experiment at p = 0.3, twice from one seed: once through the
/// sampler, once by comparing outputs with 0.
Drawn draw(const std::string& layer, const impl::Shape& shape,
           std::int64_t calls) {
  const impl::SubjectEntry& entry = testing::subject("builtin:" + layer);
  const PlannedSubject planned{
      entry,
      std::make_shared<const impl::Law>(impl::law_of(entry)),
      entry.open()->describe(),
      {}};
  SubjectPool pool(planned);
  const Experiment experiment{impl::find_law(layer),
                              {.layer = layer, .drop_probability = 0.3},
                              shape,
                              5,
                              6};
  const auto subject = entry.open();
  const Inputs inputs = make_inputs(*subject, experiment);
  const auto calibration =
      draw_outputs(*subject, experiment, inputs.input, 1, 4);
  const MaskReader reader(*experiment.law, experiment.config, inputs.base,
                          calibration);
  const Sampler sampler(experiment, pool, inputs, reader, calls);
  Drawn drawn{sampler.block(3, true), {}};
  const auto outputs = draw_outputs(*subject, experiment, inputs.input,
                                    block_seed(experiment, 3), calls);
  const auto of =
      impl::unit_of_element(*experiment.law, experiment.config, shape);
  for (const impl::Tensor& output : outputs) {
    std::vector<bool> units(static_cast<std::size_t>(sampler.units().units()));
    for (std::int64_t i = 0; i < output.size(); ++i) {
      units[of[static_cast<std::size_t>(i)]] = output.view().value(i) == 0;
    }
    drawn.calls.push_back(units);
  }
  return drawn;
}

std::uint64_t drops_of(const std::vector<bool>& units) {
  return static_cast<std::uint64_t>(
      std::count(units.begin(), units.end(), true));
}

void expect_positions(const Drawn& drawn) {
  ASSERT_EQ(drawn.tally.positions.size(), drawn.calls.front().size());
  std::uint64_t all = 0;
  for (std::size_t i = 0; i < drawn.tally.positions.size(); ++i) {
    std::uint32_t expected = 0;
    for (const auto& units : drawn.calls) expected += units[i] ? 1U : 0U;
    EXPECT_EQ(drawn.tally.positions[i], expected) << i;
    all += expected;
  }
  EXPECT_EQ(drawn.tally.rate.drops, all);
  EXPECT_EQ(drawn.tally.rate.n,
            drawn.calls.size() * drawn.calls.front().size());
  EXPECT_EQ(drawn.tally.calls, drawn.calls.size());
  ASSERT_EQ(drawn.tally.call_drops.size(), drawn.calls.size());
  for (std::size_t t = 0; t < drawn.calls.size(); ++t) {
    EXPECT_EQ(drawn.tally.call_drops[t], drops_of(drawn.calls[t])) << t;
  }
}

TEST(Sampler, CountsPositionsRowsAndCallLags) {
  const Drawn drawn = draw("dropout2d", {9, 13, 2, 3}, 16);
  expect_positions(drawn);
  const auto& calls = drawn.calls;
  ASSERT_EQ(drawn.tally.drops_per_row.size(), calls.size());
  for (std::size_t t = 0; t < calls.size(); ++t) {
    EXPECT_EQ(drawn.tally.drops_per_row[t], drops_of(calls[t]));
  }
  const StructurePlan plan = make_structure_plan({9, 13, 1, 1}, 16);
  ASSERT_GE(plan.call_lags.size(), 4u);
  ASSERT_EQ(drawn.tally.call_lags.size(), plan.call_lags.size());
  for (std::size_t j = 0; j < plan.call_lags.size(); ++j) {
    const std::size_t lag = plan.call_lags[j];
    PairCounts twin;
    for (std::size_t t = lag; t < calls.size(); ++t) {
      for (std::size_t i = 0; i < calls[t].size(); ++i) {
        ++twin.pairs;
        twin.earlier += calls[t - lag][i] ? 1U : 0U;
        twin.later += calls[t][i] ? 1U : 0U;
        twin.both += calls[t][i] && calls[t - lag][i] ? 1U : 0U;
      }
    }
    EXPECT_EQ(drawn.tally.call_lags[j], twin) << lag;
  }
}

// Fewer than 64 units a call: the calls are one row, and lag j reaches from
// the end of one call to the beginning of the next.
TEST(Sampler, LaysShortCallsEndToEnd) {
  for (const auto& [layer, shape] :
       {std::pair<std::string, impl::Shape>{"stochastic_depth", {4, 3}},
        {"drop_path", {5, 2}}}) {
    const Drawn drawn = draw(layer, shape, 300);
    expect_positions(drawn);
    EXPECT_EQ(drawn.tally.structure_rows, 1u);
    std::vector<bool> flat;
    for (const auto& units : drawn.calls) {
      flat.insert(flat.end(), units.begin(), units.end());
    }
    ASSERT_EQ(drawn.tally.drops_per_row.size(), 1u);
    EXPECT_EQ(drawn.tally.drops_per_row[0], drops_of(flat));
    for (std::size_t lag = 1; lag <= 64; ++lag) {
      std::uint64_t both = 0;
      for (std::size_t i = lag; i < flat.size(); ++i) {
        both += flat[i] && flat[i - lag] ? 1U : 0U;
      }
      EXPECT_EQ(drawn.tally.lags[lag - 1].both, both) << layer << lag;
      EXPECT_EQ(drawn.tally.lags[lag - 1].pairs, flat.size() - lag);
    }
  }
}

}  // namespace
}  // namespace dropcheck::properties
