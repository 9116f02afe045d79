// Small rules that every check rests on, one by one: what turns an e-value into
// a verdict, what a certificate needs, whose seeds are whose. Each line here
// has a bug in ci/mutants.toml that nothing else is sure to see.
#include <gmock/gmock.h>

#include <cmath>
#include <functional>
#include <set>

#include "battery.hpp"
#include "claim_parts.hpp"
#include "detection.hpp"
#include "granularity.hpp"
#include "misfit_causes.hpp"
#include "odd_subjects.hpp"
#include "rate_sets.hpp"
#include "structure_evidence.hpp"
#include "structure_plan.hpp"
#include "support.hpp"

namespace dropcheck::properties {
namespace {

using ::testing::HasSubstr;
using testing::Oddity;
using testing::run;
using testing::smoke;
using testing::subject;

const double kAll = -std::log(1e-9);

/// The context of builtin:dropout, with inputs and reader.
class Evidence : public ::testing::Test {
 protected:
  Evidence() {
    context_.lease.emplace(pool_);
    context_.inputs = make_inputs(context_.subject(), context_.experiment);
    context_.calibration = draw_outputs(context_.subject(), context_.experiment,
                                        context_.inputs.input, 1, 4);
    context_.reader = std::make_unique<MaskReader>(
        context_.law(), context_.config(), context_.inputs.base,
        context_.calibration);
  }

  /// `n` decisions with the share `rate` of drops.
  static stats::Counts counts(double rate, std::uint64_t n) {
    return {static_cast<std::uint64_t>(rate * static_cast<double>(n)), n};
  }

  Plan plan_ = make_plan({subject("builtin:dropout")}, smoke(1));
  const PlannedConfiguration& planned_ = plan_.configurations.front();
  SubjectPool pool_{plan_.subjects.front()};
  Context context_{
      planned_, plan_.settings,
      pool_,    {planned_.law, planned_.config, planned_.shape, 1, 2},
      {},       {},
      nullptr,  {},
      nullptr,  [] { return false; }};
};

TEST_F(Evidence, MustReachTheShareOfItsClaim) {
  Finding finding = start_finding(context_, "drop_rate");
  ASSERT_LT(finding.weight, 0.5);
  const double needed = kAll - std::log(finding.weight);
  EXPECT_FALSE(refute_by_e_value(finding, context_, needed - 0.01, "wrong"));
  EXPECT_NE(finding.verdict, Verdict::kRefuted);
  EXPECT_TRUE(refute_by_e_value(finding, context_, needed + 0.01, "wrong"));
  EXPECT_EQ(finding.verdict, Verdict::kRefuted);
  EXPECT_EQ(finding.sentence, "wrong");
}

TEST_F(Evidence, IsReportedAsADecimalLogarithm) {
  Finding finding = start_finding(context_, "drop_rate");
  refute_by_e_value(finding, context_, std::log(1000.0), "wrong");
  EXPECT_NEAR(finding.log10_e.value(), 3, 1e-12);
}

TEST_F(Evidence, OfPartsIsTheirMean) {
  EXPECT_NEAR(log_mean({std::log(1.0), std::log(3.0)}), std::log(2.0), 1e-15);
  Finding finding = start_finding(context_, "drop_rate");
  const double threshold = context_.log_threshold("drop_rate");
  const ClaimPart loud{.log_e = threshold + 0.1, .sentence = "loud"};
  const ClaimPart silent{.sentence = "silent"};
  EXPECT_FALSE(refute_by_parts(finding, context_, {loud, silent}));
  EXPECT_TRUE(refute_by_parts(finding, context_, {loud, loud}));
  EXPECT_EQ(finding.sentence, "loud");
}

// Some units are a multiple of their inputs and none is 0: smaller ones were to
// be dropped, larger ones were not (floor(keep + rand) in bf16 gives 2).
TEST_F(Evidence, TellsDampedUnitsFromThoseThatAreScaledTwice) {
  const double kept = 1 / (1 - planned_.config.drop_probability);
  const auto cause = [&](double factor) {
    for (impl::Tensor& output : context_.calibration) {
      for (std::int64_t i = 0; i < output.size(); ++i) {
        const double scale = i % 50 == 0 ? factor : kept;
        output.view().set(i, scale * context_.inputs.input.view().value(i));
      }
    }
    context_.reader = std::make_unique<MaskReader>(
        context_.law(), context_.config(), context_.inputs.base,
        context_.calibration);
    return cause_of_misfits(context_).value_or("");
  };
  EXPECT_THAT(cause(1e-3), HasSubstr("damped and not dropped"));
  EXPECT_THAT(cause(2), HasSubstr("are 2 * x, where others"));
}

TEST_F(Evidence, ForAMarginMustHoldOnBothSides) {
  constexpr std::uint64_t kMany = 100'000'000;
  const double margin = planned_.margin;
  EXPECT_TRUE(within_margin(counts(0.1, kMany), 0.1, context_));
  EXPECT_FALSE(within_margin(counts(0.1 + 1.2 * margin, kMany), 0.1, context_));
  EXPECT_FALSE(within_margin(counts(0.1 - 1.2 * margin, kMany), 0.1, context_));
  // Inside, but so near an end that the interval reaches out.
  EXPECT_FALSE(within_margin(counts(0.1 + 0.9 * margin, 5000), 0.1, context_));
  EXPECT_FALSE(within_margin(counts(0.1 - 0.9 * margin, 5000), 0.1, context_));
  EXPECT_FALSE(within_margin({}, 0.1, context_));
}

TEST_F(Evidence, CertifiesARateWithinDeltaAndNoFurther) {
  constexpr std::uint64_t kMany = 100'000'000;
  const RateClaimSets sets = rate_sets(context_);
  const double delta = planned_.delta;
  for (const double side : {-1.0, 1.0}) {
    EXPECT_TRUE(certified_inside(context_, sets,
                                 counts(0.1 + side * 0.8 * delta, kMany)));
    EXPECT_FALSE(certified_inside(context_, sets,
                                  counts(0.1 + side * 1.2 * delta, kMany)));
  }
}

// The first claim is decided at the first look, the second one never.
TEST_F(Evidence, OfAClaimIsFrozenAtTheLookThatDecidedIt) {
  const Sampler sampler(context_.experiment, pool_, context_.inputs,
                        *context_.reader, 16);
  const BatteryPlan plan{.calls_per_block = 16,
                         .structure_blocks = 1,
                         .maximum_blocks = 3,
                         .looks = {4, 8, 40}};
  const auto at_once = [](const stats::Counts&) { return true; };
  const auto never = [](const stats::Counts&) { return false; };
  const BatteryResult result =
      run_battery(sampler, plan, {at_once, never}, true, [] { return false; });
  const auto units = static_cast<std::uint64_t>(planned_.units_per_call);
  EXPECT_EQ(result.claims[0].n, 4 * units);
  EXPECT_EQ(result.claims[1].n, 48 * units);
  EXPECT_EQ(result.claims[1], result.total.rate);
}

TEST(Streams, HaveSeedsOfTheirOwn) {
  const Experiment experiment{
      impl::find_law("dropout"), {.layer = "dropout"}, {64}, 1, 2};
  std::set<std::uint64_t> seeds;
  for (const Stream stream : {Stream::kInput, Stream::kCalibration,
                              Stream::kSeeding, Stream::kEvaluation}) {
    for (const std::uint64_t index : {0U, 1U, 2U}) {
      seeds.insert(stream_seed(experiment, stream, index));
    }
  }
  EXPECT_EQ(seeds.size(), 12U);
}

TEST(Streams, GiveEveryBlockOtherLowBitsOfASeed) {
  const Experiment experiment{
      impl::find_law("dropout"), {.layer = "dropout"}, {64}, 1, 2};
  std::set<std::uint64_t> low;
  for (std::uint64_t block = 0; block < 10'000; ++block) {
    low.insert(block_seed(experiment, block) & 0xFFFFFFFF);
  }
  EXPECT_EQ(low.size(), 10'000U);
}

TEST(StructurePlan, LooksAtEveryLagUpTo64) {
  const StructurePlan plan = make_structure_plan({1000}, 16);
  for (std::size_t lag = 1; lag <= 64; ++lag) {
    EXPECT_EQ(plan.lags.at(lag - 1), lag);
  }
}

// One decision a call affords less than a tolerance of 0.01; thousands do.
TEST(Tolerance, IsWhatTheProfileAsksForOrWhatIsAfforded) {
  const auto delta = [](const char* name) {
    return make_plan({subject(name)}, smoke(1, 0.5)).configurations[0].delta;
  };
  EXPECT_EQ(delta("builtin:dropout"), 0.01);
  EXPECT_GT(delta("builtin:stochastic_depth"), 0.015);
}

// Of the longest lag, half of the units are pairs.
TEST(StructureSize, AffordsTheContextAfterTheRarerOutcomeAtTheLongestLag) {
  for (const char* name : {"builtin:dropout", "builtin:dropout3d"}) {
    for (const double p : {0.05, 0.1, 0.3, 0.5, 0.9}) {
      const auto planned =
          make_plan({subject(name)}, smoke(1, p)).configurations[0];
      const double contexts =
          static_cast<double>(planned.structure_n) / 2 * std::min(p, 1 - p);
      EXPECT_GE(contexts * planned.margin * planned.margin / (p * (1 - p)), 219)
          << name << " at " << p;
    }
  }
}

// Two of eight elements share a decision: neither the rule "per entry" nor one
// of axes describes that.
TEST(Granularity, OfAFewSharedElementsIsNoMatterOfAxes) {
  const Partition partition{{0, 1, 2, 2, 4, 5, 6, 7}};
  EXPECT_EQ(axis_sharing(partition, {8}).front(), Sharing::kMixed);
  EXPECT_FALSE(shared_axes_of(partition, {8}).has_value());
}

// A miss of 1e-9 beside the threshold that ln E, z^2 / 2, must reach.
TEST(Detection, AddsTheQuantileToTheThreshold) {
  EXPECT_NEAR(detectable_z(kAll, 0), 5.9978 + std::sqrt(2 * kAll), 1e-4);
  EXPECT_NEAR(detectable_z(kAll, 8), 5.9978 + std::sqrt(2 * (kAll + 8)), 1e-4);
}

Finding only_finding(const impl::SubjectEntry& entry, const std::string& check,
                     double drop = 0.1) {
  Settings settings = smoke(1, drop);
  settings.only = {check};
  return run({entry}, settings).findings.front();
}

TEST(Moments, AreCertifiedAboveOneHalf) {
  const Finding finding =
      only_finding(subject("builtin:dropout"), "moments", 0.9);
  EXPECT_EQ(finding.verdict, Verdict::kCertified) << finding.sentence;
}

// Thousands of groups: the ratio is right within a few percent.
TEST(UnitCounts, SayTheVarianceOfGroups) {
  const Finding finding =
      only_finding(subject("builtin:dropout"), "unit_counts");
  EXPECT_EQ(finding.verdict, Verdict::kCertified) << finding.sentence;
  EXPECT_NEAR(finding.observed.value(), 1, 0.2);
}

TEST(Scale, IsRefutedAUnitInTheLastPlaceOff) {
  const Oddity larger{.forward = [](const impl::Call& call,
                                    const impl::TensorView& result,
                                    impl::Tensor& room) {
    room = impl::Tensor(result.dtype, result.shape);
    const double factor = call.training ? 1 + std::ldexp(1.5, -24) : 1;
    for (std::int64_t i = 0; i < result.size(); ++i) {
      room.view().set(i, factor * result.value(i));
    }
    return room.view();
  }};
  const Finding finding =
      only_finding(testing::odd_subject("odd:scale", larger), "support");
  EXPECT_EQ(finding.verdict, Verdict::kRefuted) << finding.sentence;
  EXPECT_THAT(finding.sentence,
              HasSubstr("up to 2 units of the last place off"));
}

TEST(Evaluation, IsLookedAtAfterTraining) {
  const auto trained = std::make_shared<bool>(false);
  const Oddity spoilt{
      .make = [trained](const impl::LayerConfig&) { *trained = false; },
      .forward =
          [trained](const impl::Call& call, impl::TensorView result,
                    impl::Tensor& room) {
            *trained = *trained || call.training;
            return call.training || !*trained
                       ? result
                       : testing::filled(result, room, 7);
          }};
  const Finding finding =
      only_finding(testing::odd_subject("odd:spoilt", spoilt), "eval_identity");
  EXPECT_EQ(finding.verdict, Verdict::kRefuted);
  EXPECT_THAT(finding.sentence, HasSubstr("after a training call"));
}

TEST(Evaluation, IsLookedAtWithInfinitiesAndNaN) {
  const Oddity finite{.forward = [](const impl::Call& call,
                                    impl::TensorView result,
                                    impl::Tensor& room) {
    if (call.training) return result;
    room = impl::Tensor(result.dtype, result.shape);
    for (std::int64_t i = 0; i < result.size(); ++i) {
      const double value = result.value(i);
      room.view().set(i, std::isfinite(value) ? value : 0);
    }
    return room.view();
  }};
  const Finding finding =
      only_finding(testing::odd_subject("odd:finite", finite), "eval_identity");
  EXPECT_EQ(finding.verdict, Verdict::kRefuted) << finding.sentence;
}

/// Makes of every seed another one, by a rule of the instance.
using SeedRule =
    std::function<std::uint64_t(std::uint64_t seed, std::uint64_t instance)>;

class ReseededLayer final : public impl::Layer {
 public:
  ReseededLayer(std::unique_ptr<impl::Layer> layer, SeedRule rule,
                std::uint64_t instance)
      : layer_(std::move(layer)), rule_(std::move(rule)), instance_(instance) {}
  impl::TensorView forward(const impl::Call& call) override {
    return layer_->forward(call);
  }
  impl::TensorView backward(const impl::TensorView& grad) override {
    return layer_->backward(grad);
  }
  void reseed(std::uint64_t seed) override {
    layer_->reseed(rule_(seed, instance_));
  }

 private:
  std::unique_ptr<impl::Layer> layer_;
  SeedRule rule_;
  std::uint64_t instance_;
};

class ReseededSubject final : public impl::Subject {
 public:
  ReseededSubject(std::unique_ptr<impl::Subject> subject, SeedRule rule)
      : subject_(std::move(subject)), rule_(std::move(rule)) {}
  const impl::Description& describe() const override {
    return subject_->describe();
  }
  std::unique_ptr<impl::Layer> make(const impl::LayerConfig& config) override {
    return std::make_unique<ReseededLayer>(subject_->make(config), rule_,
                                           instances_++);
  }

 private:
  std::unique_ptr<impl::Subject> subject_;
  SeedRule rule_;
  std::uint64_t instances_ = 0;
};

Finding seeding_of(const SeedRule& rule) {
  impl::SubjectEntry entry = subject("builtin:dropout");
  const auto open = entry.open;
  entry.name = "odd:reseeded";
  entry.variants.clear();
  entry.open = [open, rule] {
    return std::make_unique<ReseededSubject>(open(), rule);
  };
  return only_finding(entry, "seeding");
}

TEST(Seeding, IsComparedBetweenInstances) {
  const Finding finding =
      seeding_of([](std::uint64_t seed, std::uint64_t instance) {
        return seed + (instance << 32U);
      });
  EXPECT_EQ(finding.verdict, Verdict::kRefuted) << finding.sentence;
}

TEST(Seeding, TriesEveryBitOfASeed) {
  for (const unsigned bit : {0U, 31U, 40U, 63U}) {
    const Finding finding =
        seeding_of([bit](std::uint64_t seed, std::uint64_t) {
          return seed & ~(std::uint64_t{1} << bit);
        });
    EXPECT_EQ(finding.verdict, Verdict::kRefuted) << finding.sentence;
    EXPECT_THAT(finding.sentence,
                HasSubstr("bit " + std::to_string(bit) + " of a seed"));
  }
}

}  // namespace
}  // namespace dropcheck::properties
