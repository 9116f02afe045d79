// The parts of the network checks: taps read back into decisions, sample sizes
// that keep their promise, and e-values whose mean is computed exactly.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <functional>

#include "block_pairs.hpp"
#include "detection.hpp"
#include "dropcheck/impl/law.hpp"
#include "dropcheck/stats/binomial_tail.hpp"
#include "network_claims.hpp"
#include "network_plan.hpp"
#include "schedule_words.hpp"
#include "tap_reader.hpp"

namespace dropcheck::properties {
namespace {

/// A tap in f32 that RapidCheck draws, and how its units were decided.
struct DrawnTap {
  std::vector<float> h;
  std::vector<float> branch;
  std::vector<float> output;
  std::vector<bool> dropped;
  std::int64_t unit_size = 1;

  TapValues values() const {
    return {impl::DType::kFloat32,
            h.data(),
            branch.data(),
            output.data(),
            static_cast<std::int64_t>(dropped.size()),
            unit_size};
  }
};

/// Elements with both signs and many exponents, never zero.
float any_element() {
  const int fraction = *rc::gen::inRange(1, 1 << 20);
  const int exponent = *rc::gen::inRange(-4, 4);
  const double sign = *rc::gen::arbitrary<bool>() ? 1 : -1;
  return static_cast<float>(sign * std::ldexp(1 + fraction / 0x1p20, exponent));
}

using Rule = std::function<float(float h, float branch, bool dropped)>;

DrawnTap any_tap(std::int64_t unit_size, const Rule& rule) {
  DrawnTap tap;
  tap.unit_size = unit_size;
  const int units = *rc::gen::inRange(4, 12);
  for (int unit = 0; unit < units; ++unit) {
    // Both decisions occur.
    const bool dropped = unit < 2 ? unit == 0 : *rc::gen::arbitrary<bool>();
    tap.dropped.push_back(dropped);
    for (std::int64_t i = 0; i < unit_size; ++i) {
      tap.h.push_back(any_element());
      tap.branch.push_back(any_element());
      tap.output.push_back(rule(tap.h.back(), tap.branch.back(), dropped));
    }
  }
  return tap;
}

TapReader reader_for(double rate) {
  return TapReader(*impl::find_law("drop_path"),
                   {.layer = "drop_path", .drop_probability = rate}, true);
}

TapReading read(TapReader& reader, const DrawnTap& tap) {
  const std::vector<TapCopy> copies{TapCopy(tap.values())};
  reader.calibrate(copies);
  TapReading reading;
  reader.read(tap.values(), reading);
  return reading;
}

void expect_decisions(const TapReading& reading, const DrawnTap& tap) {
  RC_ASSERT(reading.fates.size() == tap.dropped.size());
  for (std::size_t unit = 0; unit < tap.dropped.size(); ++unit) {
    RC_ASSERT(reading.fates[unit] ==
              (tap.dropped[unit] ? Fate::kDropped : Fate::kKept));
  }
}

RC_GTEST_PROP(TapReader, ReadsALawfulTapBitForBit, ()) {
  const double rate = *rc::gen::element(0.1, 0.3, 1.0 / 11, 0.5, 0.9);
  const auto scale = static_cast<float>(1 / (1 - rate));
  TapReader reader = reader_for(rate);
  const DrawnTap tap = any_tap(5, [=](float h, float b, bool dropped) {
    return dropped ? h : h + b * scale;
  });
  const TapReading reading = read(reader, tap);
  expect_decisions(reading, tap);
  RC_ASSERT(reading.wrong == 0);
  RC_ASSERT(reader.follows_law());
  RC_ASSERT(reader.model().has_value());
}

/// Every mistake is read, and named by its mixture.
RC_GTEST_PROP(TapReader, ReadsAndNamesWrongMixtures, ()) {
  const float s = 1 / 0.7F;
  struct Mistake {
    Mixture kept;
    Mixture dropped;
  };
  const auto mistake = *rc::gen::element(
      Mistake{{s, 1, 0}, {0, 1, 0}}, Mistake{{s, s, 0}, {0, 0, 0}},
      Mistake{{1, 1, 0}, {1, 0, 0}}, Mistake{{1, 1.25, 0}, {1, 0, 0}});
  TapReader reader = reader_for(0.3);
  const DrawnTap tap = any_tap(8, [&](float h, float b, bool dropped) {
    const Mixture& mixture = dropped ? mistake.dropped : mistake.kept;
    return static_cast<float>(mixture.residual) * h +
           static_cast<float>(mixture.branch) * b;
  });
  expect_decisions(read(reader, tap), tap);
  RC_ASSERT(!reader.follows_law());
  RC_ASSERT(reader.kept().near(mistake.kept));
  RC_ASSERT(reader.dropped().near(mistake.dropped));
}

RC_GTEST_PROP(TapReader, SeesUnitsThatAreDecidedInParts, ()) {
  TapReader reader = reader_for(0.5);
  DrawnTap tap = any_tap(6, [](float h, float b, bool dropped) {
    return dropped ? h : h + b * 2;
  });
  // The first unit was dropped; half of it is kept.
  for (std::size_t i = 0; i < 3; ++i) {
    tap.output[i] = tap.h[i] + 2 * tap.branch[i];
  }
  const TapReading reading = read(reader, tap);
  RC_ASSERT(reading.fates[0] == Fate::kTorn);
  RC_ASSERT(reading.wrong == 1);
  RC_ASSERT(reading.first_wrong == 0);
}

RC_GTEST_PROP(TapReader, AcceptsNothingElse, ()) {
  TapReader reader = reader_for(0.5);
  DrawnTap tap = any_tap(6, [](float h, float b, bool dropped) {
    return dropped ? h : h + b * 2;
  });
  const auto where = static_cast<std::size_t>(
      *rc::gen::inRange<int>(0, static_cast<int>(tap.output.size())));
  const std::vector<TapCopy> copies{TapCopy(tap.values())};
  reader.calibrate(copies);
  tap.output[where] = std::nextafter(tap.output[where], 1e9F);
  TapReading reading;
  reader.read(tap.values(), reading);
  RC_ASSERT(reading.wrong == 1);
  RC_ASSERT(reading.first_wrong == static_cast<std::int64_t>(where / 6));
}

TEST(TapReader, CannotTellTheDecisionOfAZeroBranch) {
  TapReader reader = reader_for(0.5);
  const std::vector<float> h{1, 2};
  const std::vector<float> zero{0, 0};
  TapReading reading;
  reader.read({impl::DType::kFloat32, h.data(), zero.data(), h.data(), 1, 2},
              reading);
  EXPECT_EQ(reading.fates[0], Fate::kEither);
  EXPECT_EQ(reading.wrong, 0);
}

TEST(Mixture, IsWrittenAsAFormula) {
  EXPECT_EQ((Mixture{1, 1.25, 0}).formula(), "h + 1.25 * branch(h)");
  EXPECT_EQ((Mixture{1, 0, 0}).formula(), "h");
  EXPECT_EQ((Mixture{0, 0, 0}).formula(), "0");
  EXPECT_EQ((Mixture{2, 2, 0}).formula(), "2 * (h + branch(h))");
  EXPECT_EQ((Mixture{1.5, 1, 0}).formula(), "1.5 * h + branch(h)");
  EXPECT_EQ((Mixture{0, 0.5, 0.25}).formula(), "0.5 * branch(h) + 0.25");
}

// P(the sequence reaches further than promised) over all counts, exactly.
TEST(CertifiedDistance, IsExceededWithProbabilityBelow1e9) {
  for (const double rate : {0.0, 0.0045, 0.05, 0.3, 0.5, 0.9}) {
    const std::uint64_t n = 2000;
    const double level = 23;
    const double promised = certified_distance(rate, n, level);
    double exceeded = 0;
    for (std::uint64_t k = 0; k <= n; ++k) {
      const stats::Interval seen =
          stats::confidence_sequence({k, n}, promised_prior(rate, n), level);
      if (seen.upper - rate <= promised && rate - seen.lower <= promised) {
        continue;
      }
      const double above = std::exp(stats::log_upper_tail(k, n, rate));
      exceeded += above - std::exp(stats::log_upper_tail(k + 1, n, rate));
    }
    EXPECT_LE(exceeded, 1e-9) << rate;
    // And it is no gift: half of it would often be too little.
    EXPECT_LT(promised, 15 * std::sqrt(rate * (1 - rate) / n) + 60.0 / n);
  }
}

double binomial(std::uint64_t k, std::uint64_t n, double p) {
  double mass = 1;
  for (std::uint64_t i = 0; i < k; ++i) {
    mass *= static_cast<double>(n - i) / static_cast<double>(i + 1);
  }
  return mass * std::pow(p, static_cast<double>(k)) *
         std::pow(1 - p, static_cast<double>(n - k));
}

// Two blocks of 12 decisions: the mean of the pooled e-value over all counts.
TEST(PooledEValue, HasAMeanOfAtMostOne) {
  const std::uint64_t n = 12;
  const double p[] = {0.1, 0.4};
  double mean = 0;
  for (std::uint64_t i = 0; i <= n; ++i) {
    for (std::uint64_t j = 0; j <= n; ++j) {
      const double log_e = pooled_log_e(
          {log_e_outside({i, n}, p[0], {{p[0], p[0]}}),
           log_e_outside({j, n}, p[1], {{p[1] - 0.01, p[1] + 0.01}})});
      mean += binomial(i, n, p[0]) * binomial(j, n, p[1]) * std::exp(log_e);
    }
  }
  EXPECT_LE(mean, 1 + 1e-9);
  EXPECT_GT(mean, 0.5);
}

/// Counts of n pairs as a stationary correlation makes them on average.
PairCounts expected_pairs(double rate, double correlation, std::uint64_t n) {
  const auto count = static_cast<double>(n);
  PairCounts pairs;
  pairs.pairs = n;
  pairs.earlier = static_cast<std::uint64_t>(std::round(count * rate));
  pairs.later = pairs.earlier;
  pairs.both = static_cast<std::uint64_t>(
      std::round(count * rate * (rate + correlation * (1 - rate))));
  return pairs;
}

// The plan says which correlation, alike in all blocks, is refuted but for
// 1e-9. Counts that are six standard errors short of it must still do.
TEST(BlockIndependence, DetectsWhatItsPlanPromises) {
  Settings settings;
  settings.profile = Profile::kSmoke;
  settings.drop_probabilities = {0.3};
  settings.only = {"block_independence"};
  const impl::SubjectEntry& entry = impl::builtin_networks()[1];
  ASSERT_EQ(entry.name, "builtin:vit_encoder");
  const Plan plan = make_plan({entry}, settings);
  const PlannedConfiguration& planned = plan.configurations.front();
  const PlannedCheck* check = nullptr;
  for (const PlannedCheck& one : planned.checks) {
    if (one.check == "block_independence") check = &one;
  }
  ASSERT_NE(check, nullptr);
  NetworkEvidence evidence;
  evidence.plan = make_network_plan(planned);
  evidence.tally.taps.resize(evidence.plan.rates.size());
  // Neighbours among 32 samples.
  const double n = evidence.plan.tap_n() * 31 / 32;
  const double short_of =
      5.998 / std::sqrt(n * 22);  // six standard errors over 22 taps
  for (std::size_t tap = 0; tap < evidence.plan.rates.size(); ++tap) {
    evidence.readers.emplace_back(*impl::find_law("drop_path"),
                                  impl::LayerConfig{.layer = "drop_path"},
                                  true);
    evidence.tally.taps[tap].lags.assign(
        evidence.plan.lags.size(),
        expected_pairs(evidence.plan.rates[tap],
                       check->detectable_effect - short_of,
                       static_cast<std::uint64_t>(n)));
  }
  const double families = 60;  // more than there are
  EXPECT_GE(lag_family(evidence, 0).pooled() - std::log(families),
            -std::log(settings.alpha));
}

TEST(ScheduleWords, NameTheScheduleOrTheFactor) {
  const double rate = 0.22;
  std::vector<double> promised;
  for (int i = 0; i < 12; ++i) promised.push_back(rate * i / 11);
  const auto seen = [&](auto value) {
    std::vector<stats::Interval> intervals;
    for (int i = 0; i < 12; ++i) {
      const double v = value(static_cast<double>(i));
      intervals.push_back({std::max(0.0, v - 1e-3), v + 1e-3});
    }
    return cause_of_schedule(rate, promised, intervals).value_or("");
  };
  const auto contains = [](const std::string& text, const char* part) {
    return text.find(part) != std::string::npos;
  };
  EXPECT_TRUE(contains(seen([](double) { return 0.0; }), "never reaches"));
  EXPECT_TRUE(contains(seen([&](double) { return rate; }), "does not rise"));
  EXPECT_TRUE(
      contains(seen([&](double i) { return rate * i / 12; }), "i / 12"));
  EXPECT_TRUE(contains(seen([&](double i) { return rate * (i + 1) / 12; }),
                       "off by one"));
  EXPECT_TRUE(
      contains(seen([&](double i) { return rate * (11 - i) / 11; }), "falls"));
  EXPECT_TRUE(contains(seen([&](double i) { return 2 * rate * i / 11; }),
                       "2 times what is promised, and exceeds 1 where the "
                       "network is asked for more than 0.5"));
  EXPECT_EQ(seen([](double i) { return i < 6 ? 0.0 : 0.4; }), "");
}

TEST(NetworkTally, MergesInAnyGrouping) {
  const auto block = [](std::uint64_t number) {
    NetworkTally tally;
    tally.blocks = 1;
    tally.calls = 2;
    tally.taps.resize(2);
    tally.taps[1].rate = {number, 10};
    tally.taps[1].wrong = number % 2;
    tally.taps[0].lags = {expected_pairs(0.5, 0, 100 * number)};
    tally.taps[1].lags = tally.taps[0].lags;
    tally.pairs = {expected_pairs(0.5, 0.5, 100)};
    if (number == 2) tally.wrong = TapWitness{1, number, 0, 3, Fate::kOther};
    tally.moments = {{{static_cast<double>(number), 1}}};
    return tally;
  };
  NetworkTally one;
  for (std::uint64_t i = 1; i <= 4; ++i) one.merge(block(i));
  NetworkTally late = block(3);
  late.merge(block(4));
  NetworkTally other = block(1);
  other.merge(block(2));
  other.merge(late);
  EXPECT_EQ(one.blocks, 4U);
  EXPECT_EQ(one.calls, 8U);
  EXPECT_EQ(one.taps[1].rate, other.taps[1].rate);
  EXPECT_EQ(one.taps[1].rate, (stats::Counts{10, 40}));
  EXPECT_EQ(one.wrong_units(), 2U);
  EXPECT_EQ(other.wrong_units(), 2U);
  EXPECT_EQ(one.taps[0].lags[0].pairs, 1000U);
  EXPECT_EQ(one.pairs[0], other.pairs[0]);
  EXPECT_EQ(one.wrong->block, 2U);
  EXPECT_EQ(other.wrong->block, 2U);
  ASSERT_EQ(other.moments[0].size(), 4U);
  EXPECT_EQ(other.moments[0][3].mean, 4);
}

}  // namespace
}  // namespace dropcheck::properties
