// Nights are counts that are what a typical layer shows, without chance.
#include "dropcheck/stats/lifetime.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <stdexcept>

#include "dropcheck/stats/beta_binomial.hpp"
#include "masks.hpp"
#include "near.hpp"

namespace dropcheck::stats {
namespace {

LifetimeTerms terms(double bias = 1e-6) {
  return {.subject = "library 1.2",
          .build = "4f1e",
          .device = "cpu",
          .configuration = "dropout,p=0.1,f32,65536",
          .p0 = .1,
          .kappa = recommended_kappa(.1, bias),
          .declared = {.1 - 0x1p-24, .1 + 0x1p-24}};
}

void add_night(Lifetime& lifetime, std::uint64_t seed, const Counts& counts) {
  begin_night(lifetime, seed);
  record_night(lifetime, counts);
  end_night(lifetime);
}

// A night of 2e11 decisions with a bias of 1e-6 shows nothing: half a standard
// deviation. Thirty of them are 6e12.
TEST(Lifetime, FindsABiasThatNoSingleNightCould) {
  const Counts night{20'000'200'000, 200'000'000'000};
  Lifetime lifetime = begin_lifetime(terms());
  add_night(lifetime, 1, night);
  EXPECT_LT(lifetime_log_e_value(lifetime), 1);
  std::uint64_t nights = 1;
  while (!lifetime_refuted(lifetime) && nights < 60)
    add_night(lifetime, ++nights, night);
  const double expected = lifetime_expected_n(terms(), 1e-6) / 2e11;
  EXPECT_NEAR(static_cast<double>(nights), expected, .3 * expected);
}

TEST(Lifetime, NeedsFourTrillionDecisionsForABiasOfAMillionth) {
  EXPECT_TRUE(agrees(lifetime_expected_n(terms(), 1e-6), 4.1e12, 2e-3));
}

// A thousand times the smallest bias must not wait for the smallest one's n.
TEST(Lifetime, FindsALargeBiasSoon) {
  Lifetime lifetime = begin_lifetime(terms());
  const double expected = lifetime_expected_n(terms(), 1e-3);
  std::uint64_t nights = 0;
  while (!lifetime_refuted(lifetime) && nights < 100)
    add_night(lifetime, ++nights, {10'100, 100'000});
  EXPECT_LT(static_cast<double>(nights) * 1e5, 1.3 * expected);
}

TEST(Lifetime, KeepsARightLayer) {
  Lifetime lifetime = begin_lifetime(terms());
  for (std::uint64_t night = 0; night < 60; ++night)
    add_night(lifetime, night, {20'000'000'000, 200'000'000'000});
  EXPECT_LT(lifetime_log_e_value(lifetime), 0);
}

// Three nights of four decisions, every mask: the mean over all histories.
TEST(Lifetime, HasMeanOneOverAllHistories) {
  LifetimeTerms one = terms();
  one.p0 = .3;
  one.kappa = 5;
  one.declared = {.3, .3};
  const Lifetime empty = begin_lifetime(one);
  const double mean = mean_over_masks(12, .3, [&](std::uint32_t mask) {
    Lifetime lifetime = empty;
    for (std::uint64_t night = 0; night < 3; ++night)
      add_night(
          lifetime, night,
          {static_cast<std::uint64_t>(std::popcount(mask >> 4 * night & 15U)),
           4});
    return lifetime_log_e_value(lifetime);
  });
  EXPECT_NEAR(mean, 1, 1e-12);
}

TEST(Lifetime, KeepsWhatAKilledNightRecorded) {
  Lifetime lifetime = begin_lifetime(terms());
  begin_night(lifetime, 1);
  record_night(lifetime, {5, 60});
  record_night(lifetime, {9, 100});
  begin_night(lifetime, 2);
  begin_night(lifetime, 3);
  EXPECT_EQ(lifetime.killed, 2);
  EXPECT_EQ(lifetime.counts, (Counts{9, 100}));
  EXPECT_EQ(lifetime.seeds, (std::vector<std::uint64_t>{1, 2, 3}));
  record_night(lifetime, {1, 10});
  Lifetime closed = lifetime;
  end_night(closed);
  EXPECT_EQ(closed.counts, (Counts{10, 110}));
  EXPECT_EQ(lifetime_log_e_value(lifetime), lifetime_log_e_value(closed));
}

TEST(Lifetime, RejectsAReplayAndAFixedSeed) {
  Lifetime lifetime = begin_lifetime(terms());
  add_night(lifetime, 7, {10, 100});
  EXPECT_THROW(begin_night(lifetime, 7), std::invalid_argument);
}

TEST(Lifetime, EndsWithAnyChangeOfItsTerms) {
  const Lifetime lifetime = begin_lifetime(terms());
  EXPECT_TRUE(continues(lifetime, terms()));
  for (auto part : {&LifetimeTerms::subject, &LifetimeTerms::build,
                    &LifetimeTerms::device, &LifetimeTerms::configuration}) {
    LifetimeTerms other = terms();
    (other.*part) += "+";
    EXPECT_FALSE(continues(lifetime, other));
    EXPECT_NE(fingerprint(other), fingerprint(terms()));
  }
  LifetimeTerms moved = terms();
  std::swap(moved.subject, moved.build);
  EXPECT_NE(fingerprint(moved), fingerprint(terms()));
}

TEST(Lifetime, RejectsTermsChangedAfterItBegan) {
  Lifetime lifetime = begin_lifetime(terms());
  lifetime.terms.kappa = std::nextafter(lifetime.terms.kappa, 0);
  EXPECT_THROW(begin_night(lifetime, 1), std::invalid_argument);
  EXPECT_THROW(lifetime_log_e_value(lifetime), std::invalid_argument);
  EXPECT_FALSE(continues(lifetime, lifetime.terms));
  lifetime.terms = terms();
  lifetime.terms.declared.upper = .2;
  EXPECT_THROW(lifetime_log_e_value(lifetime), std::invalid_argument);
}

TEST(Lifetime, RejectsCountsThatShrinkOrOverflow) {
  Lifetime lifetime = begin_lifetime(terms());
  EXPECT_THROW(record_night(lifetime, {1, 10}), std::invalid_argument);
  EXPECT_THROW(end_night(lifetime), std::invalid_argument);
  begin_night(lifetime, 1);
  record_night(lifetime, {3, 10});
  EXPECT_THROW(record_night(lifetime, {2, 20}), std::domain_error);
  EXPECT_THROW(record_night(lifetime, {5, 11}), std::domain_error);
  EXPECT_THROW(record_night(lifetime, {21, 20}), std::domain_error);
  EXPECT_THROW(record_night(lifetime, {3, std::uint64_t{1} << 63}),
               std::domain_error);
}

TEST(Lifetime, RejectsTermsOutOfRange) {
  LifetimeTerms bad = terms();
  bad.kappa = 0;
  EXPECT_THROW(begin_lifetime(bad), std::domain_error);
  bad = terms();
  bad.alpha = .6;
  EXPECT_THROW(begin_lifetime(bad), std::domain_error);
  bad = terms();
  bad.declared = {.3, .2};
  EXPECT_THROW(begin_lifetime(bad), std::domain_error);
  EXPECT_THROW(lifetime_expected_n(terms(), 0), std::domain_error);
}

}  // namespace
}  // namespace dropcheck::stats
