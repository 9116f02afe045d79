// Validity by enumeration of all masks of twelve units at all shifts; the rest
// against counts by brute force.
#include "dropcheck/stats/shift_counts.hpp"

#include <limits>
#include <random>
#include <stdexcept>

#include "masks.hpp"
#include "near.hpp"

namespace dropcheck::stats {
namespace {

constexpr double kA = 20.7232658369;
constexpr Interval kAnyRate{0, 1};
using Mask = std::vector<std::uint8_t>;

std::vector<std::uint64_t> drops_before(const Mask& mask) {
  std::vector<std::uint64_t> sums = {0};
  for (const std::uint8_t drop : mask) sums.push_back(sums.back() + drop);
  return sums;
}

std::vector<ShiftCounts> shifts_of(const Mask& mask) {
  std::vector<std::uint64_t> both(mask.size());
  for (std::size_t i = 0; i < mask.size(); ++i)
    for (std::size_t k = 0; mask[i] == 1 && k <= i; ++k) both[k] += mask[i - k];
  return own_shifts(drops_before(mask), both);
}

std::vector<ShiftCounts> shifts_of(const Mask& earlier, const Mask& later) {
  std::vector<std::uint64_t> both(earlier.size() + later.size() - 1);
  for (std::size_t i = 0; i < earlier.size(); ++i)
    for (std::size_t j = 0; j < later.size(); ++j)
      if (earlier[i] == 1) both[j + earlier.size() - 1 - i] += later[j];
  return cross_shifts(drops_before(earlier), drops_before(later), both);
}

Mask random_mask(std::size_t units, double p, std::uint32_t seed) {
  std::mt19937_64 generator(seed);
  std::bernoulli_distribution drop(p);
  Mask mask(units);
  for (std::uint8_t& bit : mask) bit = drop(generator);
  return mask;
}

TEST(OwnShifts, CountPairs) {
  const auto shifts = shifts_of(Mask{1, 1, 0, 1, 0});
  ASSERT_EQ(shifts.size(), 4);
  EXPECT_EQ(shifts[0], (ShiftCounts{4, 3, 2, 1}));
  EXPECT_EQ(shifts[1], (ShiftCounts{3, 2, 1, 1}));
  EXPECT_EQ(shifts[2], (ShiftCounts{2, 2, 1, 1}));
  EXPECT_EQ(shifts[3], (ShiftCounts{1, 1, 0, 0}));
}

TEST(CrossShifts, CountPairs) {
  const auto shifts = shifts_of(Mask{1, 0, 1}, Mask{1, 1, 0, 0});
  ASSERT_EQ(shifts.size(), 6);
  EXPECT_EQ(shifts[0], (ShiftCounts{1, 1, 1, 1}));  // shift -2
  EXPECT_EQ(shifts[1], (ShiftCounts{2, 1, 2, 1}));  // shift -1
  EXPECT_EQ(shifts[2], (ShiftCounts{3, 2, 2, 1}));  // shift 0
  EXPECT_EQ(shifts[3], (ShiftCounts{3, 2, 1, 1}));  // shift 1
  EXPECT_EQ(shifts[5], (ShiftCounts{1, 1, 0, 0}));  // shift 3
}

TEST(ShiftCounts, SplitLaterDecisionsByTheirContext) {
  const auto [after_keep, after_drop] = ShiftCounts{10, 4, 5, 3}.contexts();
  EXPECT_EQ(after_keep, (Counts{2, 6}));
  EXPECT_EQ(after_drop, (Counts{3, 4}));
}

Mask bits_of(std::uint32_t word, int first, int last) {
  Mask mask;
  for (int i = first; i < last; ++i)
    mask.push_back(static_cast<std::uint8_t>(word >> i & 1U));
  return mask;
}

// The mean without screening: every shift evaluated.
double log_mean_of_all(const std::vector<ShiftCounts>& shifts, double p0,
                       Interval null_rates) {
  const double number = static_cast<double>(shifts.size());
  double sum = 0;
  for (const ShiftCounts& shift : shifts) {
    double planned = 1;
    while (planned <= static_cast<double>(shift.pairs)) planned *= 2;
    const CorrelationTest test({p0, planned, 20.72 + std::log(number)});
    sum += std::exp(test.log_e_value(shift.contexts(), null_rates));
  }
  return std::log(sum / number);
}

TEST(ShiftEvidence, HasMeanAtMostOneAgainstEveryRateOfTheNull) {
  for (const double p : {.1, .3, .5, .95})
    for (const Interval null_rates : {Interval{p, p}, kAnyRate}) {
      const auto own = [&](std::uint32_t word) {
        return shift_evidence(shifts_of(bits_of(word, 0, 12)), .3, null_rates)
            .log_e;
      };
      const auto cross = [&](std::uint32_t word) {
        return shift_evidence(
                   shifts_of(bits_of(word, 0, 5), bits_of(word, 5, 12)), .3,
                   null_rates)
            .log_e;
      };
      EXPECT_LE(mean_over_masks(12, p, own), 1 + 1e-12);
      EXPECT_LE(mean_over_masks(12, p, cross), 1 + 1e-12);
    }
}

TEST(ShiftEvidence, ScreensOnlyWhatCannotMatter) {
  for (const double p0 : {.3, .33}) {
    Mask mask = random_mask(3'000, .3, 1);
    for (std::size_t i = 700; i < 900; ++i) mask[i] = mask[i - 611];
    const auto shifts = shifts_of(mask);
    const ShiftEvidence evidence = shift_evidence(shifts, p0, kAnyRate);
    const double all = log_mean_of_all(shifts, p0, kAnyRate);
    EXPECT_LT(evidence.evaluated, shifts.size() / 10);
    EXPECT_GE(all, evidence.log_e);
    EXPECT_LE(all, evidence.log_e_at_most);
  }
}

TEST(ShiftEvidence, NamesTheLagOfANoisyCopy) {
  Mask mask = random_mask(20'000, .1, 2);
  std::mt19937_64 generator(3);
  for (std::size_t i = 7'777; i < mask.size(); ++i)
    if (generator() % 8 == 0) mask[i] = mask[i - 7'777];
  const ShiftEvidence evidence = shift_evidence(shifts_of(mask), .1, kAnyRate);
  EXPECT_EQ(evidence.strongest + 1, 7'777);
  EXPECT_GT(evidence.log_e, kA);
}

TEST(ShiftEvidence, FindsTheOverlapOfTwoCalls) {
  const Mask stream = random_mask(6'000, .5, 4);
  const Mask earlier(stream.begin(), stream.begin() + 4'000);
  const Mask later(stream.begin() + 3'900, stream.end());
  const auto shifts = shifts_of(earlier, later);
  const ShiftEvidence evidence = shift_evidence(shifts, .5, kAnyRate);
  EXPECT_GT(evidence.log_e, kA);
  EXPECT_EQ(shifts[evidence.strongest].pairs, 100);
}

// The same stream compared with another rate: no window of it repeats.
TEST(ShiftEvidence, FindsNestedMasks) {
  std::mt19937_64 generator(5);
  std::uniform_real_distribution<double> uniform(0, 1);
  Mask earlier(3'000);
  Mask later(3'000);
  for (std::size_t i = 0; i < earlier.size(); ++i) {
    const double u = uniform(generator);
    earlier[i] = u < .3;
    if (i + 500 < later.size()) later[i + 500] = u < .1;
  }
  const auto shifts = shifts_of(earlier, later);
  EXPECT_GT(shift_evidence(shifts, .1, kAnyRate).log_e, kA);
}

TEST(ShiftEvidence, KeepsIndependentUnits) {
  for (const std::uint32_t seed : {6U, 7U}) {
    const auto shifts = shifts_of(random_mask(20'000, .3, seed));
    const ShiftEvidence evidence = shift_evidence(shifts, .3, kAnyRate);
    EXPECT_LT(evidence.log_e_at_most, 12);
    EXPECT_LT(evidence.evaluated, shifts.size() / 50);
  }
}

TEST(ShiftEvidence, SaysNothingWithoutShifts) {
  EXPECT_EQ(shift_evidence({}, .3, kAnyRate).log_e, 0);
  EXPECT_LE(shift_evidence(shifts_of(Mask{0, 0, 0}), .3, kAnyRate).log_e, 0);
}

TEST(ShiftEvidence, RejectsCountsThatDoNotAddUp) {
  const auto evaluate = [](ShiftCounts counts) {
    const std::vector<ShiftCounts> shifts = {counts};
    return shift_evidence(shifts, .3, kAnyRate);
  };
  EXPECT_NO_THROW(evaluate({10, 5, 5, 2}));
  EXPECT_THROW(evaluate({10, 5, 5, 6}), std::domain_error);
  EXPECT_THROW(evaluate({10, 8, 8, 2}), std::domain_error);
  EXPECT_THROW(evaluate({10, 11, 5, 5}), std::domain_error);
  EXPECT_THROW(evaluate({std::numeric_limits<std::uint64_t>::max(), 1, 1, 1}),
               std::domain_error);
  EXPECT_THROW(shift_evidence({}, 1.2, kAnyRate), std::domain_error);
  EXPECT_THROW(shift_evidence({}, .2, kAnyRate, 0), std::domain_error);
  EXPECT_THROW(own_shifts({}, {}), std::invalid_argument);
  const std::vector<std::uint64_t> few = {0, 1};
  EXPECT_THROW(cross_shifts(few, few, few), std::invalid_argument);
}

}  // namespace
}  // namespace dropcheck::stats
