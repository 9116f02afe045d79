// The rules of STATISTICS 2.b F5, and its exactness on a dependent pair.
#include "dropcheck/stats/run_alarm.hpp"

#include <array>
#include <cstdint>
#include <limits>
#include <stdexcept>

#include "near.hpp"

namespace dropcheck::stats {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(RunEValue, IsTheWeightedMean) {
  const std::array evidence = {WeightedEvidence{std::log(10.0), .5},
                               WeightedEvidence{std::log(2.0), .25},
                               WeightedEvidence{-kInfinity, .25}};
  EXPECT_TRUE(agrees(log_run_e_value(evidence), std::log(5.5), 1e-15));
}

TEST(RunEValue, DoesNotOverflow) {
  const std::array evidence = {WeightedEvidence{5'000, .5},
                               WeightedEvidence{-5'000, .5}};
  EXPECT_TRUE(agrees(log_run_e_value(evidence), 5'000 - std::log(2.0), 1e-15));
  EXPECT_TRUE(run_alarms(evidence, 1e-9));
}

TEST(RunEValue, IsZeroWithoutEvidence) {
  EXPECT_EQ(log_run_e_value({}), -kInfinity);
  EXPECT_FALSE(run_alarms({}, 1e-9));
}

TEST(OpenEndedShare, AddsUpToOne) {
  double sum = 0;
  for (std::uint64_t i = 1; i <= 999; ++i) {
    sum += open_ended_share(i);
    EXPECT_TRUE(agrees(1 - sum, 1 / (static_cast<double>(i) + 1), 1e-9));
  }
  EXPECT_THROW(open_ended_share(0), std::domain_error);
}

TEST(ClaimRefuted, NeedsTheClaimsOwnShare) {
  const double at_share = std::log(1e9) + std::log(1'000.0);
  EXPECT_TRUE(claim_refuted(at_share + 1e-5, 1e-3, 1e-9));
  EXPECT_FALSE(claim_refuted(at_share - 1e-5, 1e-3, 1e-9));
  EXPECT_TRUE(claim_refuted(kInfinity, 1e-3, 1e-9));
}

TEST(RunAlarm, RingsWheneverAClaimIsRefuted) {
  const std::array evidence = {
      WeightedEvidence{refutation_threshold(1e-9, .01), .01},
      WeightedEvidence{-3, .99}};
  EXPECT_TRUE(run_alarms(evidence, 1e-9));
}

TEST(RunAlarm, CanRingOnTheSumAlone) {
  std::array<WeightedEvidence, 10> evidence;
  evidence.fill({std::log(1.5e9), .1});
  EXPECT_FALSE(claim_refuted(evidence[0].log_e, .1, 1e-9));
  EXPECT_TRUE(run_alarms(evidence, 1e-9));
}

}  // namespace
}  // namespace dropcheck::stats
