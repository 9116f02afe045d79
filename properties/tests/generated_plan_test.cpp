// Configurations that nobody wrote down: planned before data, with one share of
// the error budget, and decided wherever they are planned.
//
// Numbers. Every source below is a list, so that each case is an edge on
// purpose. A right layer is refuted with probability at most 1e-9 a run.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <set>

#include "dropcheck/generators/rapidcheck_source.hpp"
#include "dropcheck/properties/config_source.hpp"
#include "support.hpp"

namespace dropcheck::properties {
namespace {

using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::Eq;
using ::testing::HasSubstr;
using testing::smoke;
using testing::subject;

/// Plays a list of cases.
class ListSource final : public ConfigSource {
 public:
  explicit ListSource(std::vector<DrawnCase> cases)
      : cases_(std::move(cases)) {}
  std::vector<DrawnCase> draw(const CaseWish& wish, std::uint64_t,
                              std::size_t count) const override {
    std::vector<DrawnCase> drawn = cases_;
    drawn.resize(std::min(count, drawn.size()));
    for (DrawnCase& one : drawn) one.config.layer = wish.law.layer;
    return drawn;
  }

 private:
  std::vector<DrawnCase> cases_;
};

Settings with_generated(std::uint64_t seed, std::size_t count) {
  Settings settings = smoke(seed);
  settings.generated = count;
  return settings;
}

DrawnCase drawn(double p, impl::Shape shape,
                impl::DType dtype = impl::DType::kFloat32) {
  return {{.drop_probability = p, .dtype = dtype}, std::move(shape)};
}

double weight_of(const Plan& plan, const std::string& check, bool generated) {
  double sum = 0;
  for (const PlannedConfiguration& planned : plan.configurations) {
    if (planned.generated != generated) continue;
    for (const PlannedCheck& one : planned.checks) {
      if (one.check == check) sum += one.weight;
    }
  }
  return sum;
}

TEST(GeneratedPlan, SharesTheWeightOfOneConfiguration) {
  const ListSource source({drawn(.3, {7, 100}), drawn(.2, {900}),
                           drawn(.5, {5, 5, 40}), drawn(.25, {30, 40})});
  const Plan plan =
      make_plan({subject("builtin:dropout")}, with_generated(1, 4), &source);
  const double written = weight_of(plan, "drop_rate", false);
  std::size_t configurations = 0;
  for (const auto& planned : plan.configurations) {
    configurations += planned.generated ? 0 : 1;
  }
  EXPECT_NEAR(weight_of(plan, "drop_rate", true),
              written / static_cast<double>(configurations), 1e-15);
  double all = 0;
  for (const auto& planned : plan.configurations) {
    for (const auto& check : planned.checks) {
      if (!check.hidden) all += check.weight;
    }
  }
  EXPECT_LE(all, 1 + 1e-12);
}

TEST(GeneratedPlan, LeavesOutWhatCannotDecideWithTheReason) {
  const ListSource source({drawn(.05, {3}), drawn(1e-300, {30, 40}),
                           drawn(.9999, {30, 40}), drawn(0, {30, 40}),
                           drawn(.3, {0, 5})});
  const Plan plan =
      make_plan({subject("builtin:dropout")}, with_generated(1, 5), &source);
  std::size_t seen = 0;
  for (const PlannedConfiguration& planned : plan.configurations) {
    if (!planned.generated) continue;
    ++seen;
    for (const PlannedCheck& check : planned.checks) {
      EXPECT_NE(check.check, "drop_rate") << planned.configuration;
      EXPECT_NE(check.check, "unit_counts") << planned.configuration;
    }
    for (const LeftOut& left_out : planned.left_out) {
      EXPECT_FALSE(left_out.reason.empty()) << left_out.check;
    }
    if (planned.config.drop_probability == .05) {
      EXPECT_THAT(planned.note, HasSubstr("decide nothing"));
    }
    if (planned.config.drop_probability == .9999) {
      EXPECT_THAT(planned.note, HasSubstr("keep probability"));
    }
  }
  EXPECT_EQ(seen, 5U);
}

// Found by RapidCheck: where the axis of extent 0 is a shared one there are
// units, but no element shows their decisions.
TEST(GeneratedPlan, ReadsNoMaskOfAnEmptyInput) {
  const ListSource source({drawn(.5, {9, 6, 0})});
  const Plan plan = make_plan({subject("builtin:token_dropout")},
                              with_generated(1, 1), &source);
  for (const Finding& finding : verify(plan).findings) {
    if (!finding.generated) continue;
    EXPECT_EQ(finding.verdict, Verdict::kCertified)
        << finding.id << ": " << finding.sentence;
    EXPECT_NE(finding.check, "drop_rate");
  }
}

// Layers compute the constants of alpha dropout in several orders; all are
// read.
TEST(GeneratedPlan, ReadsTheValuesOfAlphaDropoutAtAnyDropProbability) {
  const ListSource source({drawn(.125, {17}, impl::DType::kFloat64),
                           drawn(.328, {5, 30}, impl::DType::kFloat64)});
  const Plan plan = make_plan({subject("builtin:alpha_dropout")},
                              with_generated(1, 2), &source);
  std::size_t read = 0;
  for (const Finding& finding : verify(plan).findings) {
    if (!finding.generated || finding.check != "support") continue;
    EXPECT_EQ(finding.verdict, Verdict::kCertified) << finding.sentence;
    ++read;
  }
  EXPECT_EQ(read, 2U);
}

// Found by libtorch: over one key every attention weight is 1, and 1/keep = 2
// has no digits that could show a precision. Noise on three elements may come
// upon zeros only.
TEST(GeneratedPlan, AsksFormsOfShapesThatShowLittle) {
  const auto all_certified = [](const char* name, const DrawnCase& one) {
    const ListSource source({one});
    const Plan plan = make_plan({subject(name)}, with_generated(5, 1), &source);
    std::size_t forms = 0;
    for (const Finding& finding : verify(plan).findings) {
      if (!finding.generated) continue;
      EXPECT_THAT(finding.verdict,
                  AnyOf(Eq(Verdict::kCertified), Eq(Verdict::kNotSupported)))
          << finding.id << ": " << finding.sentence;
      if (finding.check == "dtype" || finding.check == "layout") ++forms;
    }
    EXPECT_GT(forms, 0U) << name;
  };
  all_certified("builtin:attention_dropout",
                drawn(.5, {1, 1, 4, 7, 4, 1}, impl::DType::kFloat64));
  all_certified("builtin:gaussian_dropout",
                drawn(.999, {1, 3}, impl::DType::kFloat64));
}

TEST(GeneratedPlan, HoldsNoCaseTwiceAndOfNetworksOnlyBatchesOfSamples) {
  const ListSource source({drawn(.3, {7, 100}), drawn(.3, {7, 100})});
  const auto generated = [&](const std::string& name) {
    const Plan plan = make_plan({subject(name)}, with_generated(1, 2), &source);
    return std::count_if(plan.configurations.begin(), plan.configurations.end(),
                         [](const auto& planned) { return planned.generated; });
  };
  EXPECT_EQ(generated("builtin:dropout"), 1);
  EXPECT_EQ(generated("builtin:vit_encoder"), 0);
}

class RightLayer : public ::testing::TestWithParam<impl::SubjectEntry> {};

// Edges of every kind, and ten configurations of RapidCheck.
TEST_P(RightLayer, IsCertifiedWhereverItIsAsked) {
  const generators::RapidCheckSource source;
  Settings settings = with_generated(20, 10);
  settings.drop_probabilities = {.5};
  const Plan plan = make_plan({GetParam()}, settings, &source);
  const RunResult result = verify(plan);
  std::size_t generated = 0;
  for (const Finding& finding : result.findings) {
    generated += finding.generated ? 1 : 0;
    EXPECT_THAT(finding.verdict,
                AnyOf(Eq(Verdict::kCertified), Eq(Verdict::kNotSupported)))
        << finding.id << ": " << finding.sentence << "\n"
        << finding.replay;
  }
  EXPECT_GE(generated, 8U);
}

class RightNetwork : public ::testing::TestWithParam<impl::SubjectEntry> {};

TEST_P(RightNetwork, IsCertifiedAtEveryDepthAndWidth) {
  const generators::RapidCheckSource source;
  Settings settings = with_generated(21, 32);
  settings.drop_probabilities = {.5};
  const Plan plan = make_plan({GetParam()}, settings, &source);
  std::size_t generated = 0;
  for (const Finding& finding : verify(plan).findings) {
    generated += finding.generated ? 1 : 0;
    EXPECT_EQ(finding.verdict, Verdict::kCertified)
        << finding.id << ": " << finding.sentence << "\n"
        << finding.replay;
  }
  EXPECT_GE(generated, 20U);
}

INSTANTIATE_TEST_SUITE_P(Builtin, RightNetwork,
                         ::testing::ValuesIn(impl::builtin_networks()),
                         [](const auto& one) { return one.param.layer; });

INSTANTIATE_TEST_SUITE_P(Builtin, RightLayer,
                         ::testing::ValuesIn(impl::builtin_subjects()),
                         [](const auto& one) { return one.param.layer; });

TEST(Replay, RepeatsAGeneratedFinding) {
  const ListSource source({drawn(.3, {7, 100}), drawn(.125, {0, 3}),
                           drawn(.001, {3, 5}, impl::DType::kBFloat16)});
  const auto& entry = subject("builtin:dropout");
  const Plan plan = make_plan({entry}, with_generated(5, 3), &source);
  std::size_t repeated = 0;
  for (const Finding& finding : verify(plan).findings) {
    if (!finding.generated) continue;
    const Plan again = replay_plan(decode_token(finding.replay), entry);
    const RunResult result = verify(again);
    ASSERT_EQ(result.findings.size(), 1U) << finding.id;
    auto expected = testing::fields_of(finding);
    auto seen = testing::fields_of(result.findings.front());
    EXPECT_EQ(seen, expected) << finding.id;
    ++repeated;
  }
  EXPECT_GT(repeated, 15U);
}

}  // namespace
}  // namespace dropcheck::properties
