// Values by 40-digit arithmetic (STATISTICS 2.c F5), and the columns of the
// table of 2.a F7 that they give.
#include "dropcheck/stats/half_widths.hpp"

#include "dropcheck/stats/binomial_tail.hpp"
#include "near.hpp"

namespace dropcheck::stats {
namespace {

constexpr double kAlpha = 1e-9;
// Of a deviation on one of two sides, with probability 1e-9.
constexpr double kZ = 6.1094102048694;

TEST(HoeffdingHalfWidth, ReproducesItsValues) {
  EXPECT_TRUE(
      agrees(hoeffding_half_width(10'000, kAlpha), 0.0327233960779641, 1e-14));
  EXPECT_TRUE(agrees(hoeffding_half_width(1'000'000, kAlpha),
                     0.00327233960779641, 1e-14));
}

TEST(MaurerPontilHalfWidth, ReproducesItsValues) {
  EXPECT_TRUE(agrees(maurer_pontil_half_width(10'000, .09, kAlpha),
                     0.0251086509896539, 1e-13));
  EXPECT_TRUE(agrees(maurer_pontil_half_width(1'000'000, .09, kAlpha),
                     0.00204651279226182, 1e-13));
  EXPECT_TRUE(agrees(maurer_pontil_half_width(1'000'000, .25, kAlpha),
                     0.00337646197018002, 1e-13));
}

TEST(BernsteinHalfWidth, ReproducesItsValues) {
  EXPECT_TRUE(agrees(bernstein_half_width(10'000, .09, kAlpha),
                     0.0203608919010343, 1e-13));
  EXPECT_TRUE(agrees(bernstein_half_width(1'000'000, .09, kAlpha),
                     0.0019705555470809, 1e-13));
  EXPECT_TRUE(agrees(bernstein_half_width(1'000'000, .25, kAlpha),
                     0.00327948619899038, 1e-13));
}

TEST(LogBentkusTail, ReproducesItsValues) {
  EXPECT_TRUE(agrees(std::exp(log_bentkus_tail(600, 1'000, .5)),
                     3.70836726752e-10, 1e-11));
  EXPECT_TRUE(agrees(std::exp(log_bentkus_tail(1'186, 10'000, .1)),
                     2.22733215773e-9, 1e-11));
  EXPECT_TRUE(agrees(std::exp(log_bentkus_tail(503'100, 1'000'000, .5)),
                     7.72210218399e-10, 1e-11));
  EXPECT_EQ(log_bentkus_tail(1, 1'000, .5), 0);
}

// n at which half-width and the deviation of a right layer fit into delta.
template <typename HalfWidth>
double sample_size(double p0, double delta, const HalfWidth& half_width) {
  std::uint64_t low = 1'000;
  std::uint64_t high = 10'000'000;
  while (high - low > 1) {
    const std::uint64_t n = (low + high) / 2;
    const double size = static_cast<double>(n);
    const double width = half_width(n) + kZ * std::sqrt(p0 * (1 - p0) / size);
    (width <= delta ? high : low) = n;
  }
  return static_cast<double>(high);
}

TEST(HalfWidths, CostWhatTheTableSays) {
  const auto hoeffding = [](std::uint64_t n) {
    return hoeffding_half_width(n, kAlpha);
  };
  EXPECT_TRUE(agrees(sample_size(.1, .01, hoeffding), 2.61e5, 5e-3));
  EXPECT_TRUE(agrees(sample_size(.5, .01, hoeffding), 4.00e5, 5e-3));
  const auto maurer_pontil = [](double variance) {
    return [variance](std::uint64_t n) {
      return maurer_pontil_half_width(n, variance, kAlpha);
    };
  };
  EXPECT_TRUE(agrees(sample_size(.5, .01, maurer_pontil(.25)), 4.17e5, 5e-3));
  EXPECT_TRUE(agrees(sample_size(.1, .01, maurer_pontil(.09)), 1.57e5, 5e-2));
}

// All four are valid: exact tails of a Bernoulli mean lie below them.
TEST(HalfWidths, AreNeverExceededMoreOftenThanAlpha) {
  for (const double p : {.1, .5})
    for (const std::uint64_t n : {100U, 10'000U}) {
      const double size = static_cast<double>(n);
      for (const double width : {hoeffding_half_width(n, 1e-3),
                                 bernstein_half_width(n, p * (1 - p), 1e-3)}) {
        const auto k =
            static_cast<std::uint64_t>(std::ceil(size * (p + width)));
        EXPECT_LE(log_upper_tail(k, n, p), std::log(5e-4));
      }
    }
}

}  // namespace
}  // namespace dropcheck::stats
