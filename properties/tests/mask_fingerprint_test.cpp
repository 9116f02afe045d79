// Equal masks have equal fingerprints, others do not (but for 1e-30), and
// duplicates are counted as pairs.
#include "mask_fingerprint.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "random_bits.hpp"

namespace dropcheck::properties {
namespace {

RC_GTEST_PROP(Fingerprint, TellsMasksApartByOneBit, (std::uint64_t key)) {
  const auto size = *rc::gen::inRange<std::size_t>(1, 20);
  auto mask = testing::random_bits(size, 0.3, key);
  const Fingerprinter fingerprinter(key + 1);
  const Fingerprint before = fingerprinter.of(mask.data(), size);
  RC_ASSERT(fingerprinter.of(mask.data(), size) == before);
  mask[*rc::gen::inRange<std::size_t>(0, size)] ^= std::uint64_t{1}
                                                   << *rc::gen::inRange(0, 64);
  RC_ASSERT(fingerprinter.of(mask.data(), size) != before);
}

TEST(Fingerprint, CountsLeadingZeros) {
  const std::vector<std::uint64_t> zeros(3, 0);
  const Fingerprinter fingerprinter(1);
  EXPECT_NE(fingerprinter.of(zeros.data(), 2),
            fingerprinter.of(zeros.data(), 3));
}

TEST(Duplicates, AreCountedAsPairsWithTheEarliestReturn) {
  const Fingerprint a{1, 1}, b{2, 2}, c{3, 3}, d{3, 4};
  const Duplicates found = find_duplicates({a, b, c, b, a, b, d});
  EXPECT_EQ(found.pairs, 4u) << "b three times, a twice";
  ASSERT_TRUE(found.first);
  EXPECT_EQ(*found.first, (std::pair<std::size_t, std::size_t>{1, 3}));
  EXPECT_FALSE(find_duplicates({a, b, c, d}).first);
  EXPECT_EQ(find_duplicates({}).pairs, 0u);
}

}  // namespace
}  // namespace dropcheck::properties
