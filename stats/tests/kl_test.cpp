// Values by 40-digit arithmetic (STATISTICS 2.a F3).
#include "dropcheck/stats/kl.hpp"

#include <limits>

#include "near.hpp"

namespace dropcheck::stats {
namespace {

struct Vector {
  double x;
  double y;
  double kl;
};

TEST(KlBernoulli, KeepsFifteenDigitsBetweenCloseRates) {
  const Vector vectors[] = {{.1, .101, 5.52288210462165781e-6},
                            {.101, .1, 5.53917760123690275e-6},
                            {.5, .5001, 2.00000004000000107e-8},
                            {.9, .89, 5.24952557880219637e-4},
                            {.05, .05078125, 6.36208709204798112e-6}};
  // The rates themselves are rounded, which their difference magnifies.
  for (const auto& [x, y, kl] : vectors)
    EXPECT_TRUE(agrees(kl_bernoulli(x, y), kl, 3e-12)) << x << ' ' << y;
}

TEST(KlBernoulli, IsZeroAtEqualRatesAndInfiniteWhereTheOtherForbids) {
  EXPECT_EQ(kl_bernoulli(.3, .3), 0);
  EXPECT_EQ(kl_bernoulli(0, 0), 0);
  EXPECT_EQ(kl_bernoulli(.3, 0), std::numeric_limits<double>::infinity());
  EXPECT_EQ(kl_bernoulli(.3, 1), std::numeric_limits<double>::infinity());
  EXPECT_TRUE(agrees(kl_bernoulli(0, .5), std::log(2.0), 1e-15));
}

TEST(Bd0, AgreesWithItsDefinitionFarFromTheMean) {
  EXPECT_TRUE(agrees(bd0(3, 7), 3 * std::log(3.0 / 7) + 4, 1e-14));
  EXPECT_EQ(bd0(0, 5), 5);
  EXPECT_EQ(bd0(5, 5), 0);
  EXPECT_TRUE(agrees(bd0(1e10 + 1, 1e10), 5e-11, 1e-9));
}

TEST(WaldLowerBound, ReproducesTheTableOfBounds) {
  const ErrorPair errors{1e-9, 1e-9};
  EXPECT_NEAR(wald_lower_bound(.1, .11, errors), 39'477, 1);
  EXPECT_NEAR(wald_lower_bound(.5, .51, errors), 103'596, 1);
  EXPECT_NEAR(wald_lower_bound(.11, .1, errors), 38'385, 1);
  EXPECT_NEAR(wald_lower_bound(.09, .1, errors), 36'172, 1);
  EXPECT_TRUE(agrees(wald_lower_bound(.1, .101, errors),
                     20.7232657944999 / kl_bernoulli(.1, .101), 1e-14));
}

}  // namespace
}  // namespace dropcheck::stats
