// The vectorised kernels against scalar twins, one line of arithmetic each.
//
// Sizes 0 to 4300 take every path: whole words of 64, many of them together,
// vectors of any width and every length of tail. Buffers begin at any multiple
// of the element size, so no load may count on alignment; words past the end
// are poisoned, so that reading or writing them shows. Patterns come from a
// small alphabet, in which dropped, kept and wrong values all are frequent.
#include "mask_kernels.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>
#include <vector>

#include "dropcheck/impl/random_stream.hpp"
#include "impl/tests/vector_sets.hpp"

namespace dropcheck::properties {
namespace {

using impl::DType;

constexpr std::uint64_t kPoison = 0xA5A5A5A5A5A5A5A5;

std::size_t any_size() {
  const auto special =
      *rc::gen::element<std::size_t>(0, 1, 63, 64, 65, 127, 128, 129, 1000,
                                     1984, 2000, 2047, 2048, 2049, 4096, 4300);
  return *rc::gen::oneOf(rc::gen::just(special),
                         rc::gen::inRange<std::size_t>(0, 2001))
              .as("size");
}

std::size_t word_count(std::size_t bits) { return (bits + 63) / 64; }

bool bit(const std::vector<std::uint64_t>& words, std::size_t i) {
  return ((words[i / 64] >> (i % 64)) & 1U) != 0;
}

/// Random bits with any density; zero past the end, as the contract has it.
std::vector<std::uint64_t> any_bits(std::size_t bits) {
  const auto key = *rc::gen::arbitrary<std::uint64_t>().as("key");
  const auto density = *rc::gen::element(0, 1, 26, 128, 255, 256).as("of 256");
  std::vector<std::uint64_t> words(word_count(bits));
  for (std::size_t i = 0; i < bits; ++i) {
    const bool set =
        static_cast<int>(impl::keyed_word(key, i) & 255U) < density;
    words[i / 64] |= std::uint64_t{set} << (i % 64);
  }
  return words;
}

/// Elements of `width` bytes that begin `offset` elements into a buffer.
class Elements {
 public:
  Elements(std::size_t count, std::size_t width, std::size_t offset)
      : width_(width),
        begin_(width * offset),
        bytes_(width * (count + offset)) {}
  std::uint64_t get(std::size_t i) const {
    std::uint64_t value = 0;
    std::memcpy(&value, data() + i * width_, width_);
    return value;
  }
  void set(std::size_t i, std::uint64_t value) {
    std::memcpy(bytes_.data() + begin_ + i * width_, &value, width_);
  }
  const std::byte* data() const { return bytes_.data() + begin_; }

 private:
  std::size_t width_;
  std::size_t begin_;
  std::vector<std::byte> bytes_;
};

struct Read {
  std::vector<std::uint64_t> words;
  std::size_t first_wrong = 0;
};

Read scalar_read(const MaskReading& reading, const Elements& values,
                 const Elements* kept, std::size_t count) {
  const std::size_t width = 8 * impl::size_of(reading.dtype);
  const std::uint64_t all = ~std::uint64_t{0} >> (64 - width);
  const std::uint64_t significant = reading.ignore_sign ? all >> 1U : all;
  Read read{std::vector<std::uint64_t>(word_count(count)), count};
  for (std::size_t i = count; i-- > 0;) {
    const std::uint64_t value = values.get(i);
    if ((value & significant) == (reading.dropped & significant)) {
      read.words[i / 64] |= std::uint64_t{1} << (i % 64);
    } else if (kept != nullptr && value != kept->get(i)) {
      read.first_wrong = i;
    }
  }
  return read;
}

class ReadDropBits : public ::testing::TestWithParam<DType> {};

TEST_P(ReadDropBits, AgreesWithItsScalarTwin) {
  const DType dtype = GetParam();
  const std::size_t width = impl::size_of(dtype);
  const bool right = rc::check([&] {
    const std::size_t count = any_size();
    const auto offset = *rc::gen::inRange<std::size_t>(0, 9).as("offset");
    const auto key = *rc::gen::arbitrary<std::uint64_t>().as("key");
    const auto wrong_of_256 =
        *rc::gen::element<std::uint64_t>(0, 1, 40).as("wrong of 256");
    const bool with_kept = *rc::gen::arbitrary<bool>().as("kept given");
    const std::uint64_t all = ~std::uint64_t{0} >> (64 - 8 * width);
    const std::uint64_t sign = all ^ (all >> 1U);
    MaskReading reading{.dtype = dtype};
    reading.ignore_sign = *rc::gen::arbitrary<bool>().as("ignore sign");
    const bool zero = *rc::gen::arbitrary<bool>().as("drops to zero");
    reading.dropped = zero ? 0 : impl::keyed_word(key, 1, 1) & all;
    Elements values(count, width, offset);
    Elements kept(count, width, *rc::gen::inRange<std::size_t>(0, 9));
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint64_t word = impl::keyed_word(key, i);
      kept.set(i, word & all);
      std::uint64_t value = word & all;
      if ((word >> 56U) < 80) value = reading.dropped ^ (word & sign);
      if ((word >> 48U & 255U) < wrong_of_256) value ^= 1;
      values.set(i, value);
    }
    reading.kept = with_kept ? kept.data() : nullptr;
    const Read expected =
        scalar_read(reading, values, with_kept ? &kept : nullptr, count);
    impl::testing::on_all_vector_sets([&] {
      std::vector<std::uint64_t> words(word_count(count) + 1, kPoison);
      const std::size_t first =
          read_drop_bits(reading, values.data(), count, words.data());
      RC_ASSERT(first == expected.first_wrong);
      RC_ASSERT(words.back() == kPoison);
      words.pop_back();
      RC_ASSERT(words == expected.words);
    });
  });
  EXPECT_TRUE(right);
}

TEST_P(ReadDropBits, NamesTheFirstWrongElementWhereverItIs) {
  const DType dtype = GetParam();
  constexpr std::size_t kCount = 2200;
  Elements values(kCount, impl::size_of(dtype), 1);
  for (std::size_t i = 0; i < kCount; ++i) values.set(i, i + 1000);
  const Elements kept = values;
  const MaskReading reading{.dtype = dtype, .kept = kept.data()};
  std::vector<std::uint64_t> words(word_count(kCount));
  for (std::size_t wrong = 0; wrong < kCount; ++wrong) {
    Elements spoilt = values;
    for (std::size_t i = wrong; i < kCount; i += 3) spoilt.set(i, 999);
    EXPECT_EQ(read_drop_bits(reading, spoilt.data(), kCount, words.data()),
              wrong);
    EXPECT_EQ(popcount(words.data(), words.size()), 0u)
        << "a wrong value counts as kept";
  }
}

INSTANTIATE_TEST_SUITE_P(Every, ReadDropBits,
                         ::testing::Values(DType::kFloat64, DType::kFloat32,
                                           DType::kFloat16, DType::kBFloat16),
                         [](const auto& one) {
                           return std::string(impl::name_of(one.param));
                         });

std::uint64_t scalar_joint(const std::vector<std::uint64_t>& words,
                           std::size_t bits, std::size_t lag) {
  std::uint64_t joint = 0;
  for (std::size_t i = 0; i + lag < bits; ++i) {
    joint += bit(words, i) && bit(words, i + lag) ? 1U : 0U;
  }
  return joint;
}

RC_GTEST_PROP(JointAtLag, AgreesWithItsScalarTwin, ()) {
  const std::size_t bits = any_size();
  const auto words = any_bits(bits);
  const auto any_lag = *rc::gen::inRange<std::size_t>(0, bits + 130).as("lag");
  for (const std::size_t lag :
       {std::size_t{0}, std::size_t{1}, std::size_t{63}, std::size_t{64},
        std::size_t{65}, std::size_t{128}, bits, bits + 1, any_lag}) {
    RC_ASSERT(joint_at_lag(words.data(), bits, lag) ==
              scalar_joint(words, bits, lag));
  }
}

// Two sizes, on a word boundary and off it, at every lag and beyond.
TEST(JointAtLag, IsRightAtEveryLag) {
  for (const std::size_t bits : {std::size_t{448}, std::size_t{499}}) {
    std::vector<std::uint64_t> words(word_count(bits));
    for (std::size_t i = 0; i < bits; ++i) {
      words[i / 64] |= (impl::keyed_word(1, i) & 1U) << (i % 64);
    }
    for (std::size_t lag = 0; lag <= bits + 70; ++lag) {
      EXPECT_EQ(joint_at_lag(words.data(), bits, lag),
                scalar_joint(words, bits, lag))
          << bits << " bits, lag " << lag;
    }
  }
}

RC_GTEST_PROP(Popcount, CountsWhatIsSetInBoth, ()) {
  const std::size_t bits = any_size();
  const auto a = any_bits(bits);
  const auto b = any_bits(bits);
  std::uint64_t ones = 0;
  std::uint64_t both = 0;
  for (std::size_t i = 0; i < bits; ++i) {
    ones += bit(a, i) ? 1U : 0U;
    both += bit(a, i) && bit(b, i) ? 1U : 0U;
  }
  RC_ASSERT(popcount(a.data(), a.size()) == ones);
  RC_ASSERT(popcount_and(a.data(), b.data(), a.size()) == both);
}

RC_GTEST_PROP(AddBits, AddsEachBitToItsOwnCounter, ()) {
  const std::size_t bits = any_size();
  const auto offset = *rc::gen::inRange<std::size_t>(0, 9).as("offset");
  std::vector<std::uint16_t> counters(offset + bits + 1, 7);
  std::vector<std::uint16_t> expected = counters;
  for (int call = 0; call < 3; ++call) {
    const auto words = any_bits(bits);
    add_bits(words.data(), bits, counters.data() + offset);
    for (std::size_t i = 0; i < bits; ++i) {
      expected[offset + i] =
          static_cast<std::uint16_t>(expected[offset + i] + bit(words, i));
    }
  }
  RC_ASSERT(counters == expected);
}

RC_GTEST_PROP(AddRows, AddsTheBitsOfEveryRow, ()) {
  const std::size_t bits = any_size();
  const auto rows = *rc::gen::inRange<std::size_t>(0, 40).as("rows");
  const std::size_t stride = word_count(bits) + 1;
  std::vector<std::uint64_t> words;
  std::vector<std::uint16_t> expected(bits + 1, 7);
  for (std::size_t row = 0; row < rows; ++row) {
    auto one = any_bits(bits);
    add_bits(one.data(), bits, expected.data());
    one.push_back(kPoison);
    words.insert(words.end(), one.begin(), one.end());
  }
  impl::testing::on_all_vector_sets([&] {
    std::vector<std::uint16_t> counters(bits + 1, 7);
    add_rows(words.data(), stride, rows, bits, counters.data());
    RC_ASSERT(counters == expected);
  });
}

RC_GTEST_PROP(CountBefore, CountsWhatIsSetBeforeAPlace, ()) {
  const std::size_t bits = any_size();
  const auto words = any_bits(bits);
  std::vector<std::size_t> places;
  std::vector<std::uint64_t> expected;
  std::uint64_t ones = 0;
  for (std::size_t i = 0; i <= bits; ++i) {
    places.push_back(i);
    expected.push_back(ones);
    if (i < bits && bit(words, i)) ++ones;
  }
  impl::testing::on_all_vector_sets([&] {
    std::vector<std::uint64_t> counts(places.size());
    count_before(words.data(), bits, places, counts.data());
    RC_ASSERT(counts == expected);
  });
}

RC_GTEST_PROP(ShortLags, AreThoseOfOneLagAtATime, ()) {
  const std::size_t bits = any_size();
  const auto words = any_bits(bits);
  impl::testing::on_all_vector_sets([&] {
    std::vector<std::uint64_t> counts(kShortLags);
    joint_at_short_lags(words.data(), bits, counts.data());
    for (std::size_t lag = 1; lag <= kShortLags; ++lag) {
      RC_ASSERT(counts[lag - 1] == scalar_joint(words, bits, lag));
    }
  });
}

TEST(AddBits, CountsTo65535) {
  const std::vector<std::uint64_t> ones(2, ~std::uint64_t{0});
  std::vector<std::uint16_t> counters(128);
  for (int call = 0; call < 65535; ++call) {
    add_bits(ones.data(), 128, counters.data());
  }
  EXPECT_EQ(std::count(counters.begin(), counters.end(), 65535), 128);
}

}  // namespace
}  // namespace dropcheck::properties
