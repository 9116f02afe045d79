// What the shipped rule does on the shipped look schedule, exactly: error
// rates, power and cost (STATISTICS 2.0 and 2.d).
#include "dropcheck/stats/operating_characteristics.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "dropcheck/stats/kl.hpp"
#include "dropcheck/stats/look_schedule.hpp"
#include "near.hpp"

namespace dropcheck::stats {
namespace {

constexpr double kDelta = 1e-2;
constexpr double kRates[] = {.05, .1, .3, .5, .9};

RateClaim claim_at(double p0) {
  return {.p0 = p0, .delta = kDelta, .declared = {p0, p0}};
}

std::vector<std::uint64_t> shipped_looks(double p0) {
  const double time = p0 * (1 - p0) / (kDelta * kDelta);
  return look_schedule(n_max(p0, kDelta), 2 * time);
}

OperatingCharacteristics at(double p0, double rate) {
  return operating_characteristics(claim_at(p0), shipped_looks(p0), rate);
}

TEST(ShippedSchedule, CertifiesARightRateAndHardlyEverRefutesIt) {
  for (const double p0 : kRates) {
    const OperatingCharacteristics right = at(p0, p0);
    EXPECT_LE(right.refuted, 1e-9) << p0;
    EXPECT_LE(right.undecided, 1e-9) << p0;
    EXPECT_GE(right.refuted, 1e-10) << p0;  // and is not idle
    EXPECT_NEAR(right.certified + right.refuted + right.undecided, 1, 1e-12);
  }
}

TEST(ShippedSchedule, HardlyEverCertifiesARateAtTheEdgeOfTheTolerance) {
  for (const double p0 : kRates)
    for (const double rate : {p0 - kDelta, p0 + kDelta}) {
      const OperatingCharacteristics wrong = at(p0, rate);
      EXPECT_LE(wrong.certified, 1e-9) << p0 << ' ' << rate;
      EXPECT_GE(wrong.certified, 1e-11) << p0 << ' ' << rate;
      EXPECT_GE(wrong.refuted, 1 - 1e-8) << p0 << ' ' << rate;
    }
}

// Right rates up to 0.02 delta off are certified, those inside the tolerance
// never wrongly so: the zone between is where either word is true.
TEST(ShippedSchedule, IsDecidedForSmallBiasesWithinItsBudget) {
  for (const double p0 : {.1, .5})
    EXPECT_LE(at(p0, p0 + .02 * kDelta).undecided, 1e-9) << p0;
}

// In units of time against the diffusion limit of the Wald bound, 41.4465.
TEST(ShippedSchedule, CostsWhatTheDesignPromises) {
  struct Row {
    double p0;
    double ratio;
  };
  for (const auto& [p0, ratio] : {Row{.05, 1.389}, {.1, 1.375}, {.5, 1.371}}) {
    const double time =
        at(p0, p0).expected_n * kDelta * kDelta / (p0 * (1 - p0));
    EXPECT_NEAR(time / 41.4465, ratio, 2e-3) << p0;
  }
  for (const double p0 : {.1, .3, .5, .9})
    for (const double rate : {p0 - kDelta, p0 + kDelta}) {
      const double bound = wald_lower_bound(rate, p0, {1e-9, 1e-9});
      const double ratio = at(p0, rate).expected_n / bound;
      EXPECT_LE(ratio, 1.13) << p0 << ' ' << rate;
      EXPECT_GE(ratio, 1.12) << p0 << ' ' << rate;
    }
}

// One decision after the other, and the rule itself instead of its integers.
TEST(OperatingCharacteristics, AgreeWithTheRuleStepByStep) {
  const RateClaim claim{
      .p0 = .5, .delta = .1, .declared = {.5, .5}, .alpha = .1};
  const std::array<std::uint64_t, 4> looks = {6, 50, 200, 700};
  const double rate = .55;
  OperatingCharacteristics expected;
  std::vector<double> open(702);
  open[0] = 1;
  for (std::uint64_t n = 1; n <= looks.back(); ++n) {
    for (std::uint64_t k = n; k > 0; --k)
      open[k] = open[k] * (1 - rate) + open[k - 1] * rate;
    open[0] *= 1 - rate;
    if (std::find(looks.begin(), looks.end(), n) == looks.end()) continue;
    for (std::uint64_t k = 0; k <= n; ++k) {
      const RateOutcome outcome = decide(claim, {k, n});
      if (outcome == RateOutcome::kUndecided) continue;
      const double mass = std::exchange(open[k], 0.0);
      (outcome == RateOutcome::kRefuted ? expected.refuted
                                        : expected.certified) += mass;
      expected.expected_n += mass * static_cast<double>(n);
    }
  }
  for (const double mass : open) expected.undecided += mass;
  expected.expected_n += expected.undecided * static_cast<double>(looks.back());
  const OperatingCharacteristics exact =
      operating_characteristics(claim, looks, rate);
  EXPECT_NEAR(exact.refuted, expected.refuted, 1e-12);
  EXPECT_NEAR(exact.certified, expected.certified, 1e-12);
  EXPECT_NEAR(exact.undecided, expected.undecided, 1e-12);
  EXPECT_NEAR(exact.expected_n, expected.expected_n, 1e-9);
  EXPECT_GT(expected.refuted, .1);
  EXPECT_GT(expected.certified, .1);
}

}  // namespace
}  // namespace dropcheck::stats
