// One budget, names and seeds of claims, and the replay of one finding.
#include "dropcheck/gtest/session.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>
#include <stdexcept>

#include "dropcheck/impl/in_process.hpp"
#include "toy_layers.hpp"

namespace dropcheck::gtest {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
using testing::ToyDropout;

Claim claim_of(const std::string& name, double share = 1,
               const Contract& contract = {.drop_probabilities = {0.5}}) {
  const auto make = [](double drop) { return ToyDropout(drop); };
  return {impl::in_process(entry_of(contract, name), make), contract, share};
}

const properties::Finding& finding_of(const Outcome& outcome,
                                      const std::string& check) {
  for (const auto& finding : outcome.result.findings) {
    if (finding.check == check) return finding;
  }
  throw std::out_of_range("no finding of " + check);
}

TEST(AlarmShares, NeverPassOneInAll) {
  AlarmShares shares;
  EXPECT_EQ(shares.next(), 1.0 / 2);
  EXPECT_EQ(shares.next(), 1.0 / 6);
  double sum = 1.0 / 2 + 1.0 / 6;
  for (int i = 3; i <= 1000; ++i) sum += shares.next();
  EXPECT_NEAR(sum, 1 - 1.0 / 1001, 1e-12);
}

TEST(Session, NumbersTheSubjectsOfATest) {
  Session session({.seed = 1});
  EXPECT_EQ(session.next_name("A.B"), "gtest:A.B");
  EXPECT_EQ(session.next_name("A.B"), "gtest:A.B:2");
  EXPECT_EQ(session.next_name("A.C"), "gtest:A.C");
  session.begin_iteration();
  EXPECT_EQ(session.next_name("A.B"), "gtest:A.B");
}

TEST(Session, DrawsAFreshSeedUnlessOneIsGiven) {
  EXPECT_EQ(Session({.seed = 12}).seed(), 12U);
  EXPECT_NE(Session({}).seed(), Session({}).seed());
}

// The same name verified twice, and two names, have seeds of their own; a
// session of the same seed gives the same ones.
TEST(Session, GivesEveryClaimASeed) {
  std::set<std::uint64_t> seeds;
  for (int twice = 0; twice < 2; ++twice) {
    Session session({.seed = 3});
    for (const char* name : {"gtest:A.B", "gtest:A.B", "gtest:A.C"}) {
      Claim claim = claim_of(name);
      claim.contract.only = {"eval_identity"};
      seeds.insert(session.verify(claim).result.seed);
    }
  }
  EXPECT_EQ(seeds.size(), 3U);
}

TEST(Session, SharesWeightsWithTheRestOfTheProcess) {
  Session session({.seed = 4});
  const Outcome outcome = session.verify(claim_of("gtest:A.B", 0.25));
  double sum = 0;
  for (const auto& finding : outcome.result.findings) sum += finding.weight;
  EXPECT_NEAR(sum, 0.25, 1e-12);
}

TEST(Session, KeepsTheWeightOfACheckThatRunsAlone) {
  Session whole({.seed = 5});
  Session part({.seed = 5});
  Claim claim = claim_of("gtest:A.B", 0.5);
  const Outcome all = whole.verify(claim);
  claim.checks = {"seeding", "drop_rate", "eval_identity"};
  const Outcome some = part.verify(claim);
  ASSERT_EQ(some.result.findings.size(), 3U);
  for (const std::string& check : claim.checks) {
    const auto& alone = finding_of(some, check);
    const auto& among = finding_of(all, check);
    EXPECT_NEAR(alone.weight, among.weight, 1e-15) << check;
    EXPECT_EQ(alone.n, among.n) << check;
    EXPECT_EQ(alone.sentence, among.sentence) << check;
  }
}

TEST(Session, RunsNothingWhereTheContractLeavesTheChecksOut) {
  Session session({.seed = 5});
  Claim claim = claim_of("gtest:A.B", 1,
                         {.drop_probabilities = {0.5}, .only = {"seeding"}});
  claim.checks = {"drop_rate"};
  EXPECT_TRUE(session.verify(claim).result.findings.empty());
}

TEST(Session, RefusesAProbabilityThatIsNone) {
  Session session({.seed = 5});
  EXPECT_THAT(
      [&] { session.verify(claim_of("x", 1, {.drop_probabilities = {1.5}})); },
      ThrowsMessage<std::invalid_argument>(HasSubstr("1.5")));
}

TEST(Session, RepeatsOneFindingAndLeavesAllOthersOut) {
  const Claim claim = claim_of("gtest:A.B", 0.5);
  Session first({.seed = 6});
  const auto original = finding_of(first.verify(claim), "drop_rate");
  Session again({.seed = 99, .replay = original.replay});
  EXPECT_EQ(again.unused_replay(), "gtest:A.B");
  EXPECT_TRUE(again.verify(claim_of("gtest:A.C")).left_out);
  Claim seeding = claim;
  seeding.checks = {"seeding"};
  EXPECT_TRUE(again.verify(seeding).left_out);
  EXPECT_EQ(again.unused_replay(), "gtest:A.B");
  const Outcome outcome = again.verify(claim);
  EXPECT_FALSE(outcome.left_out);
  EXPECT_EQ(again.unused_replay(), std::nullopt);
  ASSERT_EQ(outcome.result.findings.size(), 1U);
  const auto& repeated = outcome.result.findings.front();
  EXPECT_EQ(repeated.id, original.id);
  EXPECT_EQ(repeated.log10_e, original.log10_e);
  EXPECT_EQ(repeated.n, original.n);
  EXPECT_EQ(repeated.weight, original.weight);
}

TEST(Session, RefusesATokenThatIsNone) {
  EXPECT_THROW(Session({.replay = "garbage"}), std::invalid_argument);
}

}  // namespace
}  // namespace dropcheck::gtest
