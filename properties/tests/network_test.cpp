// Networks on trial: right ones are certified by every check, every wrong one
// is refuted by the check that it names, and findings are as those of layers.
//
// Numbers. A right network is refuted with probability at most 1e-9 a run, so
// fixed seeds are no selection. Wrong ones are sought at smoke: at a rate of
// 0.1, but where the rate is divided by 12 instead of 11, a difference of
// 0.0083 in the last block, at 0.5.
#include <gmock/gmock.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "dropcheck/properties/check_catalogue.hpp"
#include "odd_subjects.hpp"
#include "support.hpp"

namespace dropcheck::properties {
namespace {

using impl::SubjectEntry;
using testing::fields_of;
using ::testing::HasSubstr;
using testing::odd_subject;
using testing::Oddity;
using testing::run;
using testing::smoke;
using testing::subject;

std::string words(std::string name) {
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  }
  return name;
}

const Finding& finding_of(const RunResult& result, const std::string& check) {
  const auto found =
      std::find_if(result.findings.begin(), result.findings.end(),
                   [&](const Finding& f) { return f.check == check; });
  if (found == result.findings.end()) throw std::out_of_range(check);
  return *found;
}

Settings trial(const SubjectEntry& entry) {
  return smoke(1, entry.trial.drop_probability);
}

class WrongNetwork : public ::testing::TestWithParam<SubjectEntry> {};

TEST_P(WrongNetwork, IsRefutedByTheCheckThatItNames) {
  Settings settings = trial(GetParam());
  settings.only = {GetParam().caught_by};
  const RunResult result = run({GetParam()}, settings);
  ASSERT_EQ(result.findings.size(), 1U);
  EXPECT_EQ(result.findings[0].verdict, Verdict::kRefuted)
      << result.findings[0].sentence;
  EXPECT_EQ(exit_status(result), 1);
}

INSTANTIATE_TEST_SUITE_P(Faulty, WrongNetwork,
                         ::testing::ValuesIn(impl::faulty_networks()),
                         [](const auto& one) { return words(one.param.name); });

class RightNetwork : public ::testing::TestWithParam<SubjectEntry> {};

TEST_P(RightNetwork, IsCertifiedByEveryCheckAtAnyRate) {
  for (const std::uint64_t seed : {1U, 2U}) {
    Settings settings = smoke(seed);
    settings.drop_probabilities = {.05, .1, .3, .5, .9};
    settings.dtypes = {impl::DType::kFloat32, impl::DType::kFloat64};
    const RunResult result = run({GetParam()}, settings);
    const std::size_t checks =
        impl::law_of(GetParam()).network->keeps_moments ? 7 : 6;
    EXPECT_EQ(result.findings.size(), 10 * checks);
    for (const Finding& finding : result.findings) {
      EXPECT_EQ(finding.verdict, Verdict::kCertified)
          << finding.id << ": " << finding.sentence;
    }
    EXPECT_FALSE(result.alarm) << result.largest_term;
  }
}

INSTANTIATE_TEST_SUITE_P(Builtin, RightNetwork,
                         ::testing::ValuesIn(impl::builtin_networks()),
                         [](const auto& one) { return words(one.param.name); });

struct Sentence {
  std::string subject;
  std::string check;
  std::string text;
  double rate = 0.1;
};

void PrintTo(const Sentence& sentence, std::ostream* out) {
  *out << sentence.subject << " " << sentence.check;
}

class NamedCause : public ::testing::TestWithParam<Sentence> {};

TEST_P(NamedCause, StandsInTheSentence) {
  const Sentence& due = GetParam();
  Settings settings = smoke(2, due.rate);
  settings.only = {due.check};
  const RunResult result = run({subject("faulty:" + due.subject)}, settings);
  const Finding& finding = finding_of(result, due.check);
  EXPECT_EQ(finding.verdict, Verdict::kRefuted);
  EXPECT_THAT(finding.sentence, HasSubstr(due.text));
}

INSTANTIATE_TEST_SUITE_P(
    Faulty, NamedCause,
    ::testing::Values(
        Sentence{"vit_block_counter_stuck", "rate_schedule",
                 "block 11 of 12 (from 0) never drops, the linear schedule "
                 "says 0.1: no block drops"},
        Sentence{"vit_rate_constant", "rate_schedule",
                 "does not rise with depth"},
        Sentence{"vit_rate_divided_by_blocks", "rate_schedule",
                 "it looks like rate * i / 12", 0.5},
        Sentence{"vit_rate_counted_from_one", "rate_schedule", "off by one"},
        Sentence{"vit_rate_falls", "rate_schedule", "falls with depth"},
        Sentence{"vit_rate_exceeds_one", "rate_schedule", "exceeds 1 where"},
        Sentence{"vit_rate_exceeds_one", "rate_schedule",
                 "block 11 of 12, from 0: drop probability is 1.008", 0.5},
        Sentence{"vit_mlp_never_dropped", "rate_schedule",
                 "the MLP branch never drops"},
        Sentence{"linear_relu_never_drops", "rate_schedule", "drops nothing"},
        Sentence{"vit_branch_and_residual_swapped", "block_output",
                 "residual and branch are swapped"},
        Sentence{"vit_drop_path_after_addition", "block_output",
                 "stands after the addition"},
        Sentence{"vit_no_scale", "block_output", "1/keep is missing"},
        Sentence{"vit_no_scale", "block_moments", "not h + 1 * branch(h)"},
        Sentence{"vit_rate_divided_by_blocks", "block_output",
                 "1/keep of a drop rate of 0.458", 0.5},
        Sentence{"vit_one_mask_for_batch", "block_decisions",
                 "all samples of a batch"},
        Sentence{"vit_same_mask_on_both_branches", "block_decisions",
                 "the branches of block"},
        Sentence{"vit_drops_tokens", "block_decisions", "decided in parts"},
        Sentence{"vit_same_masks_every_call", "block_independence",
                 "1 call later always agree"},
        Sentence{"vit_active_at_eval", "block_evaluation",
                 "its branch is dropped"},
        Sentence{"vit_eval_scales", "block_evaluation", "multiplied by keep"},
        Sentence{"selu_network_plain_dropout", "block_output",
                 "a dropped unit becomes 0"},
        Sentence{"selu_network_plain_dropout", "selu_moments",
                 "SELU layers with fresh weights the mean is"}),
    [](const auto& one) {
      return words(one.param.subject + "_" + one.param.check + "_" +
                   std::to_string(one.index));
    });

// A right schedule and right values: only what is wrong is refuted.
TEST(Network, IsRefutedForItsOwnDefectOnly) {
  const RunResult result =
      run({subject("faulty:vit_same_masks_every_call")}, smoke(1));
  std::set<std::string> refuted;
  for (const Finding& finding : result.findings) {
    if (finding.verdict == Verdict::kRefuted) refuted.insert(finding.check);
  }
  EXPECT_THAT(refuted, ::testing::ElementsAre("block_independence"));
  EXPECT_EQ(finding_of(result, "rate_schedule").verdict,
            Verdict::kInconclusive);
}

// One mask for a batch makes counts noisy: that is no news of the rates.
TEST(Network, SaysNothingOfRatesWhileDecisionsAreShared) {
  Settings settings = smoke(1, 0.5);
  settings.only = {"rate_schedule", "block_moments"};
  const RunResult result =
      run({subject("faulty:vit_one_mask_for_batch")}, settings);
  ASSERT_EQ(result.findings.size(), 2U);
  for (const Finding& finding : result.findings) {
    EXPECT_EQ(finding.verdict, Verdict::kInconclusive) << finding.sentence;
    EXPECT_THAT(finding.sentence, HasSubstr("block_decisions is refuted"));
    EXPECT_LE(finding.log10_e.value_or(0), 0);
  }
  EXPECT_FALSE(result.alarm);
}

TEST(Network, GivesIdenticalFindingsOnAnyThreads) {
  for (const char* name : {"builtin:vit_encoder", "builtin:selu_network",
                           "faulty:vit_rate_counted_from_one"}) {
    Settings settings = smoke(11);
    settings.threads = 1;
    const RunResult one = run({subject(name)}, settings);
    settings.threads = 7;
    const RunResult many = run({subject(name)}, settings);
    ASSERT_EQ(one.findings.size(), many.findings.size());
    for (std::size_t i = 0; i < one.findings.size(); ++i) {
      EXPECT_EQ(fields_of(one.findings[i]), fields_of(many.findings[i]));
    }
  }
}

TEST(Network, RepeatsEveryFindingFromItsToken) {
  for (const char* name :
       {"builtin:linear_relu_drop_path", "builtin:selu_network",
        "faulty:vit_rate_constant", "faulty:vit_one_mask_for_batch"}) {
    const SubjectEntry& entry = subject(name);
    const RunResult whole = run({entry}, smoke(5));
    for (const Finding& finding : whole.findings) {
      const RunResult again =
          verify(replay_plan(decode_token(finding.replay), entry));
      const Finding& replayed = finding_of(again, finding.check);
      EXPECT_EQ(fields_of(replayed), fields_of(finding)) << finding.id;
    }
  }
}

TEST(Network, TakesAnyBatchAndRefusesOtherSamples) {
  Settings settings = smoke(3);
  settings.shapes = {{5, 1, 8, 8}};
  const RunResult odd = run({subject("builtin:vit_encoder")}, settings);
  EXPECT_EQ(worst(odd), Verdict::kCertified);
  settings.shapes = {{5, 1, 8, 9}};
  const Plan plan = make_plan({subject("builtin:vit_encoder")}, settings);
  EXPECT_TRUE(plan.configurations.empty());
  ASSERT_EQ(plan.warnings.size(), 1U);
  EXPECT_THAT(plan.warnings[0], HasSubstr("(batch, 1, 8, 8)"));
}

// A batch of one has no neighbours: what can be told is told.
TEST(Network, RunsWithASingleSample) {
  Settings settings = smoke(3, 0.3);
  settings.shapes = {{1, 1, 8, 8}};
  const RunResult result = run({subject("builtin:vit_encoder")}, settings);
  for (const Finding& finding : result.findings) {
    EXPECT_EQ(finding.verdict, Verdict::kCertified)
        << finding.id << ": " << finding.sentence;
  }
}

TEST(Network, RunsASubjectWithoutReseedInOneSequence) {
  Oddity odd;
  odd.describe = [](impl::Description& d) { d.reseed = false; };
  odd.reseed = [] { throw impl::NotSupported("cannot be reseeded"); };
  const RunResult result =
      run({odd_subject("odd:no_reseed", odd, "builtin:vit_encoder")}, smoke(4));
  for (const Finding& finding : result.findings) {
    EXPECT_EQ(finding.verdict, Verdict::kCertified) << finding.sentence;
    EXPECT_FALSE(finding.repeatable);
  }
}

// ---- Whatever a network does
// --------------------------------------------------

RunResult with_taps(const std::function<void(std::vector<impl::Tap>&)>& change,
                    const char* base = "builtin:vit_encoder") {
  Oddity odd;
  odd.taps = change;
  return run({odd_subject("odd:taps", odd, base)}, smoke(1));
}

TEST(OddNetwork, IsRefutedForTapsThatTheLawDoesNotHave) {
  for (const auto& change :
       std::vector<std::function<void(std::vector<impl::Tap>&)>>{
           [](std::vector<impl::Tap>& taps) { taps.clear(); },
           [](std::vector<impl::Tap>& taps) { taps.pop_back(); },
           [](std::vector<impl::Tap>& taps) {
             taps[3].residual.data = nullptr;
           },
           [](std::vector<impl::Tap>& taps) {
             taps[3].branch.shape = {1};
             taps[3].branch.strides = {1};
           },
           [](std::vector<impl::Tap>& taps) {
             taps[0].output.dtype = impl::DType::kFloat64;
           }}) {
    const RunResult result = with_taps(change);
    ASSERT_FALSE(result.findings.empty());
    for (const Finding& finding : result.findings) {
      EXPECT_EQ(finding.verdict, Verdict::kRefuted) << finding.id;
      EXPECT_THAT(finding.sentence, HasSubstr("due"));
    }
  }
}

// NaN at one tap is never a pass, and never an exception.
TEST(OddNetwork, IsRefutedForNaNAtATap) {
  std::vector<float> nan(32 * 5 * 8, std::numeric_limits<float>::quiet_NaN());
  const RunResult result = with_taps(
      [&](std::vector<impl::Tap>& taps) { taps[5].output.data = nan.data(); });
  EXPECT_EQ(finding_of(result, "block_output").verdict, Verdict::kRefuted);
  EXPECT_EQ(finding_of(result, "block_evaluation").verdict, Verdict::kRefuted);
  for (const Finding& finding : result.findings) {
    EXPECT_NE(finding.verdict, Verdict::kCertified) << finding.id;
  }
}

TEST(OddNetwork, ThatThrowsOrCrashesIsAFinding) {
  const std::vector<std::pair<std::function<void()>, Verdict>> misdeeds{
      {[] { throw impl::LayerError("no"); }, Verdict::kRefuted},
      {[] { throw impl::SubjectCrashed("signal 11"); }, Verdict::kCrash},
      {[] { throw impl::SubjectTimeout("60 s"); }, Verdict::kTimeout},
      {[] { throw 42; }, Verdict::kError}};
  for (const auto& [misdeed, verdict] : misdeeds) {
    Oddity odd;
    odd.forward = [what = misdeed](const impl::Call&, impl::TensorView result,
                                   impl::Tensor&) {
      what();
      return result;
    };
    const RunResult result =
        run({odd_subject("odd:x", odd, "builtin:vit_encoder")}, smoke(1));
    ASSERT_FALSE(result.findings.empty());
    for (const Finding& finding : result.findings) {
      EXPECT_EQ(finding.verdict, verdict) << finding.sentence;
    }
  }
}

// Checks of networks have no meaning for layers, and the other way round.
TEST(Network, HasChecksOfItsOwn) {
  for (const CheckInfo& check : checks()) {
    const auto laws = impl::laws();
    const bool of_layers =
        std::any_of(laws.begin(), laws.end(), [&](const impl::Law& law) {
          return not_applicable(check, law).empty();
        });
    const bool of_networks =
        not_applicable(check, *impl::find_law("vit_encoder")).empty() ||
        not_applicable(check, *impl::find_law("selu_network")).empty();
    EXPECT_NE(of_layers, of_networks) << check.name;
  }
}

}  // namespace
}  // namespace dropcheck::properties
