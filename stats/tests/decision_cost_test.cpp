// What a decision may cost at the looks that are shipped, exactly, over the
// least expected n of any test with the same errors. The benchmark prints the
// figures; here stands what they must not exceed.
#include <gtest/gtest.h>

#include <algorithm>

#include "dropcheck/stats/kl.hpp"
#include "dropcheck/stats/look_schedule.hpp"
#include "dropcheck/stats/operating_characteristics.hpp"

namespace dropcheck::stats {
namespace {

constexpr double kDelta = 1e-2;
constexpr ErrorPair kErrors{1e-9, 1e-9};

RateClaim claim_of(double p0) {
  return {p0, kDelta, {p0 - 0x1p-24, p0 + 0x1p-24}};
}

OperatingCharacteristics of(const RateClaim& claim, double p) {
  const double unit = claim.p0 * (1 - claim.p0) / (kDelta * kDelta);
  const auto looks =
      look_schedule(n_max(claim.p0, kDelta, claim.alpha), 2 * unit);
  return operating_characteristics(claim, looks, p);
}

TEST(DecisionCost, OfACertificateIsWithinFortyPercentOfTheWaldBound) {
  for (const double p : {.05, .1, .3, .5, .9}) {
    const double bound = std::max(wald_lower_bound(p, p + kDelta, kErrors),
                                  wald_lower_bound(p, p - kDelta, kErrors));
    const double n = of(claim_of(p), p).expected_n;
    EXPECT_LE(n, 1.4 * bound) << p;
    EXPECT_GE(n, bound) << p;
  }
}

TEST(DecisionCost, OfADetectionIsWithinFifteenPercentAtSmallRates) {
  for (const double off : {.05 - kDelta, .05 + kDelta}) {
    const double bound = wald_lower_bound(off, .05, kErrors);
    const double n = of(claim_of(.05), off).expected_n;
    EXPECT_LE(n, 1.15 * bound) << off;
    EXPECT_GE(n, bound) << off;
  }
}

TEST(DecisionCost, OfAThousandClaimsIsAThirdMoreThanOfOne) {
  for (const double p : {.1, .5}) {
    RateClaim many = claim_of(p);
    many.weight = 1e-3;
    const double one = of(claim_of(p), p + kDelta).expected_n;
    const double share = of(many, p + kDelta).expected_n / one;
    EXPECT_LE(share, 1.35) << p;
    EXPECT_GE(share, 1.2) << p;
  }
  RateClaim many = claim_of(.1);
  many.weight = 1e-3;
  EXPECT_LE(of(many, .1).refuted, 1e-12);
}

TEST(DecisionCost, OfAThousandCertificatesAtOnceIsAThirdMore) {
  RateClaim jointly = claim_of(.1);
  jointly.alpha = 1e-12;
  const double one = of(claim_of(.1), .1).expected_n;
  EXPECT_LE(of(jointly, .1).expected_n, 1.35 * one);
  EXPECT_LE(of(jointly, .1 + kDelta).certified, 1e-12);
}

}  // namespace
}  // namespace dropcheck::stats
