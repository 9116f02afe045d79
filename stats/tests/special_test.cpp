// Far tails of the normal and chi-square laws against 40 digits (mpmath 1.3:
// complementary error function, incomplete gamma function, and continued
// fractions where those underflow), beyond 1e-100000.
#include "special.hpp"

#include <limits>

#include "near.hpp"

namespace dropcheck::stats {
namespace {

constexpr double kLargest = std::numeric_limits<double>::max();

struct NormalVector {
  double z;
  double log_tail;
};
constexpr NormalVector kNormal[] = {
    {-8, -6.2209605742717861e-16},   {-1, -0.17275377902344989},
    {0, -0.69314718055994531},       {0.5, -1.1759117615936186},
    {3, -6.6077262215103495},        {6, -20.736768949974706},
    {19.99, -203.7167077172084},     {20.01, -204.11770277865993},
    {25, -316.63940800802026},       {37.5, -707.66898931750719},
    {50, -1254.8313611394199},       {678.6, -230256.41897255712},
    {1e4, -50000010.129278915},      {1e8, -5000000000000019.3},
    {1e154, -5.0000000000000004e307}};

TEST(LogNormalUpperTail, AgreesWithFortyDigits) {
  for (const auto& [z, log_tail] : kNormal)
    EXPECT_TRUE(agrees(log_normal_upper_tail(z), log_tail, 1e-14)) << z;
}

TEST(LogNormalUpperTail, IsNeverMinusInfinity) {
  EXPECT_EQ(log_normal_upper_tail(1e200), -kLargest);
  EXPECT_TRUE(std::isfinite(two_sided_log10_p(-1e200)));
  EXPECT_EQ(two_sided_log10_p(0), 0);
}

struct ChiSquareVector {
  double x;
  double degrees;
  double log_tail;
};
constexpr ChiSquareVector kChiSquare[] = {{1e-3, 1, -0.025550779355950622},
                                          {1, 1, -1.1478744644493182},
                                          {40, 1, -22.093833084219643},
                                          {1300, 1, -653.81161888143187},
                                          {1500, 1, -753.88306710538243},
                                          {460537, 1, -230275.24586776346},
                                          {1e10, 1, -5000000011.7387168},
                                          {37, 2, -18.5},
                                          {461000, 2, -230500.0},
                                          {300.5, 7, -138.90355622186219},
                                          {700, 10, -329.73486005118436},
                                          {2000, 10, -975.54302871710205},
                                          {1e6, 10, -499950.68859232071},
                                          {460000, 63, -229699.82311031976},
                                          {1e3, 1e3, -0.70511277596023771},
                                          {1300, 1e3, -21.667509512525536},
                                          {5e3, 1e3, -1200.6943717304726},
                                          {470000, 1e3, -231433.81066893891},
                                          {1e5, 1e5, -0.69433730468638594},
                                          {1.1e5, 1e5, -238.5194424937031},
                                          {1.3e5, 1e5, -1886.9119218629522},
                                          {8e5, 1e5, -246036.19765876462},
                                          {1e6, 1e6, -0.69352337770643015},
                                          {1.003e6, 1e6, -4.0735557782050272},
                                          {1.5e6, 1e6, -47274.232931125511}};

TEST(LogChiSquareUpperTail, AgreesWithFortyDigits) {
  for (const auto& [x, degrees, log_tail] : kChiSquare)
    EXPECT_TRUE(agrees(log_chi_square_upper_tail(x, degrees), log_tail, 2e-12))
        << x << ' ' << degrees;
}

TEST(LogChiSquareUpperTail, IsNeverMinusInfinity) {
  for (const double degrees : {1.0, 7.0, 1e6})
    EXPECT_TRUE(std::isfinite(log_chi_square_upper_tail(1e308, degrees)))
        << degrees;
  EXPECT_EQ(log_chi_square_upper_tail(0, 3), 0);
}

}  // namespace
}  // namespace dropcheck::stats
