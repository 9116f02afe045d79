// Counting of many calls by unit, and of triples, against plain loops.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <vector>

#include "bit_matrix.hpp"
#include "bit_sequence.hpp"
#include "dropcheck/impl/random_stream.hpp"
#include "triple_counts.hpp"

namespace dropcheck::properties {
namespace {

using Bits = std::vector<bool>;

Bits random_bits(std::size_t count, std::uint64_t key) {
  Bits bits(count);
  for (std::size_t i = 0; i < count; ++i) {
    bits[i] = impl::keyed_word(key, i) % 3 == 0;
  }
  return bits;
}

std::vector<std::uint64_t> packed(const Bits& bits) {
  std::vector<std::uint64_t> words((bits.size() + 63) / 64);
  for (std::size_t i = 0; i < bits.size(); ++i) {
    if (bits[i]) words[i / 64] |= std::uint64_t{1} << i % 64;
  }
  return words;
}

RC_GTEST_PROP(BitMatrix, CountsLikeAPlainTable, ()) {
  const auto units = *rc::gen::inRange<std::size_t>(1, 200);
  const auto calls = *rc::gen::inRange<std::size_t>(1, 200);
  const auto key = *rc::gen::arbitrary<std::uint64_t>();
  BitMatrix matrix(units);
  std::vector<Bits> table;
  for (std::size_t call = 0; call < calls; ++call) {
    table.push_back(random_bits(units, key + call));
    matrix.add_call(packed(table.back()).data());
  }
  matrix.finish();
  const auto a = *rc::gen::inRange<std::size_t>(0, units);
  const auto b = *rc::gen::inRange<std::size_t>(0, units);
  std::uint64_t drops = 0;
  std::uint64_t joint = 0;
  for (const Bits& row : table) {
    drops += row[a] ? 1U : 0U;
    joint += row[a] && row[b] ? 1U : 0U;
  }
  RC_ASSERT(matrix.calls() == calls);
  RC_ASSERT(matrix.drops(a) == drops);
  RC_ASSERT(matrix.joint(a, b) == joint);
}

TEST(TripleCounter, CountsEveryContextOfEveryPair) {
  const Bits bits = random_bits(64 * 1030, 5);
  BitSequence sequence;
  sequence.append(packed(bits).data(), static_cast<std::int64_t>(bits.size()));
  TripleCounter counter;
  counter.add(sequence);
  ASSERT_EQ(counter.counts().size(), static_cast<std::size_t>(kTriples));
  for (const std::size_t index : {0U, 17U, 900U, 2015U}) {
    const TripleCounts& triple = counter.counts()[index];
    ASSERT_LT(triple.near, triple.far);
    std::array<stats::Counts, 4> due{};
    for (std::size_t i = 64; i < bits.size(); ++i) {
      const std::size_t context =
          (bits[i - triple.near] ? 1U : 0U) + (bits[i - triple.far] ? 2U : 0U);
      due[context] += {bits[i] ? 1U : 0U, 1};
    }
    for (std::size_t context = 0; context < 4; ++context) {
      EXPECT_EQ(triple.contexts[context], due[context])
          << triple.near << " " << triple.far << " " << context;
    }
  }
}

TEST(TripleCounter, NeedsMoreThanItsContexts) {
  BitSequence sequence;
  const std::uint64_t word = 5;
  sequence.append(&word, 40);
  TripleCounter counter;
  counter.add(sequence);
  EXPECT_EQ(counter.counts()[0].decisions(), 0);
}

}  // namespace
}  // namespace dropcheck::properties
