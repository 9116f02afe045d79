// The tables of STATISTICS 2.b F6, error probability 1e-9.
#include "dropcheck/stats/granularity.hpp"

#include <array>

#include "near.hpp"

namespace dropcheck::stats {
namespace {

constexpr double kA = 20.7232658369;

TEST(SignatureCalls, AreThoseOfTheTable) {
  constexpr std::array<std::uint64_t, 5> kSizes = {64, 1'024, 1 << 16, 1 << 20,
                                                   1 << 24};
  struct Row {
    double p;
    std::array<std::uint64_t, 5> calls;
  };
  for (const auto& [p, calls] :
       {Row{.5, {41, 49, 61, 69, 77}}, Row{.3, {53, 63, 78, 88, 98}},
        Row{.1, {143, 171, 213, 241, 269}}, Row{.05, {284, 340, 423, 479, 534}},
        Row{.01, {1'418, 1'695, 2'111, 2'388, 2'666}}})
    for (std::size_t i = 0; i < kSizes.size(); ++i)
      EXPECT_EQ(signature_calls(kSizes[i], p, kA), calls[i]) << p << ' ' << i;
}

TEST(OverlapWindow, HasTheWidthOfTheText) {
  const double log_pairs = 40 * std::log(2.0);
  EXPECT_EQ(overlap_window_bits(log_pairs, kA, .5), 70U);
  EXPECT_EQ(overlap_window_bits(log_pairs, kA, .1), 245U);
}

TEST(ConstantLines, AreThoseOfTheTable) {
  struct Row {
    double p;
    std::array<std::uint64_t, 4> lines;
  };
  constexpr std::array<std::uint64_t, 4> kLengths = {2, 4, 16, 64};
  for (const auto& [p, lines] :
       {Row{.1, {105, 50, 13, 4}}, Row{.5, {30, 10, 2, 1}},
        Row{.01, {1'037, 516, 129, 33}}})
    for (std::size_t i = 0; i < kLengths.size(); ++i)
      EXPECT_EQ(constant_lines(kLengths[i], p, kA), lines[i]) << p << ' ' << i;
}

TEST(ChanceIdentical, IsThePowerOfTheAgreement) {
  EXPECT_TRUE(agrees(log_chance_identical(.5, 30), -30 * std::log(2.0), 1e-15));
  EXPECT_TRUE(agrees(log_chance_identical(.1, 1), std::log(.82), 1e-14));
  EXPECT_EQ(log_chance_identical(.1, 0), 0);
}

}  // namespace
}  // namespace dropcheck::stats
