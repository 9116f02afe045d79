// The smallest case still refuted, for wrong layers whose smallest case is
// known.
//
// Numbers. Each fault is gross where it is and absent elsewhere, so a step is
// decided wrongly with a chance far below 1e-9: the paths are facts, not luck.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <memory>

#include "dropcheck/stats/run_alarm.hpp"
#include "odd_subjects.hpp"
#include "support.hpp"

namespace dropcheck::properties {
namespace {

using ::testing::HasSubstr;
using testing::odd_subject;
using testing::Oddity;
using ::testing::SizeIs;
using testing::smoke;
using testing::subject;

/// What the elements of a call become where `here` says so: x / keep, so that
/// nothing is dropped.
using Where = std::function<bool(std::int64_t element, std::int64_t elements)>;

struct Setting {
  impl::LayerConfig config;
};

/// Plain dropout that keeps the elements that `never` names.
impl::SubjectEntry keeping(
    const Where& never,
    const std::function<bool(const impl::LayerConfig&)>& when) {
  const auto setting = std::make_shared<Setting>();
  Oddity odd;
  odd.make = [setting](const impl::LayerConfig& config) {
    setting->config = config;
  };
  odd.forward = [=](const impl::Call& call, impl::TensorView result,
                    impl::Tensor& room) {
    const impl::LayerConfig& config = setting->config;
    if (!call.training || !when(config)) return result;
    room = impl::Tensor(result.dtype, result.shape);
    impl::copy(result, room.view());
    const impl::TensorView out = room.view();
    const std::int64_t elements = call.input.size();
    const double scale = 1 / (1 - config.drop_probability);
    for (std::int64_t i = 0; i < out.size(); ++i) {
      if (!never(i % elements, elements)) continue;
      out.set(i, call.input.value(i % elements) * scale);
    }
    return out;
  };
  return odd_subject("odd", odd);
}

bool always(const impl::LayerConfig&) { return true; }

Where from_size(std::int64_t least) {
  return [least](std::int64_t, std::int64_t elements) {
    return elements >= least;
  };
}

bool in_tail(std::int64_t element, std::int64_t elements) {
  return element >= elements - elements % 8;
}

Settings shrinking(const std::string& check, double p = .1) {
  Settings settings = smoke(3, p);
  settings.only = {check};
  settings.shrink_limit_seconds = 30;
  return settings;
}

const Shrinking& path_of(const RunResult& result) {
  for (const Finding& finding : result.findings) {
    if (finding.shrinking) return *finding.shrinking;
  }
  throw std::runtime_error("nothing was shrunk");
}

TEST(Shrinking, EndsAtTheLeastSizeOfADefectOfLargeTensors) {
  const RunResult result =
      testing::run({keeping(from_size(1000), always)}, shrinking("drop_rate"));
  EXPECT_EQ(path_of(result).smallest, "p=0.5,f32,1000");
  EXPECT_EQ(path_of(result).stopped, "");
}

// Eight elements that drop and one that does not: in a tail alone all have one
// rate.
TEST(Shrinking, EndsAtTheLeastSizeThatHasATailBesideAVector) {
  Settings settings = shrinking("homogeneity");
  settings.shapes = {{5, 11}};
  const RunResult result = testing::run({keeping(in_tail, always)}, settings);
  EXPECT_EQ(path_of(result).smallest, "p=0.5,f32,9");
}

TEST(Shrinking, KeepsTheDTypeThatIsWrong) {
  Settings settings = shrinking("drop_rate");
  settings.dtypes = {impl::DType::kBFloat16};
  const auto bf16 = [](const impl::LayerConfig& config) {
    return config.dtype == impl::DType::kBFloat16;
  };
  impl::SubjectEntry entry = keeping(from_size(0), bf16);
  const RunResult result = testing::run({entry}, settings);
  EXPECT_EQ(path_of(result).smallest, "p=0.5,bf16,scalar");
}

TEST(Shrinking, KeepsTheDropProbabilityThatIsWrong) {
  const auto small = [](const impl::LayerConfig& config) {
    return config.drop_probability < .2;
  };
  const RunResult result =
      testing::run({keeping(from_size(0), small)}, shrinking("drop_rate"));
  EXPECT_EQ(path_of(result).smallest, "p=0.125,f32,scalar");
}

TEST(Shrinking, KeepsTheAxesOfAWrongUnit) {
  const RunResult result = testing::run({subject("faulty:channel_as_element")},
                                        shrinking("granularity"));
  EXPECT_EQ(path_of(result).smallest, "p=0.5,f32,1x1x2");
}

TEST(Shrinking, KeepsTheLanesThatShareAWord) {
  const RunResult result = testing::run({subject("faulty:lanes_of_4")},
                                        shrinking("independence_within"));
  EXPECT_THAT(path_of(result).smallest, HasSubstr("p=0.5,f32,"));
  EXPECT_EQ(path_of(result).smallest.find('x'), std::string::npos);
}

// A value is wrong without any chance: no threshold, and the same path.
TEST(Shrinking, TakesExactChecksAsTheyAre) {
  const RunResult result =
      testing::run({subject("faulty:no_scale")}, shrinking("support"));
  const Shrinking& path = path_of(result);
  EXPECT_EQ(path.smallest, "p=0.5,f32,scalar");
  for (const ShrinkStep& step : path.steps) {
    EXPECT_FALSE(step.log10_threshold.has_value());
  }
}

// STATISTICS 2.f 7: step k needs ln(k (k + 1)) more than the first finding.
TEST(Shrinking, RaisesTheThresholdWithEveryStep) {
  const RunResult result =
      testing::run({keeping(from_size(1000), always)}, shrinking("drop_rate"));
  double weight = 0;
  for (const Finding& finding : result.findings) {
    if (finding.shrinking) weight = finding.weight;
  }
  const Shrinking& path = path_of(result);
  for (std::size_t k = 1; k <= path.steps.size(); ++k) {
    const double share = static_cast<double>(k) * static_cast<double>(k + 1);
    EXPECT_NEAR(*path.steps[k - 1].log10_threshold,
                (stats::refutation_threshold(1e-9, weight) + std::log(share)) /
                    std::log(10.0),
                1e-9);
    EXPECT_EQ(path.steps[k - 1].refuted,
              *path.steps[k - 1].log10_e >= *path.steps[k - 1].log10_threshold);
  }
}

std::string text_of(const Shrinking& path) {
  std::string text = path.smallest + path.replay + path.sentence;
  for (const ShrinkStep& step : path.steps) {
    text += "\n" + step.configuration + std::to_string(step.refuted) +
            std::to_string(step.log10_e.value_or(0));
  }
  return text;
}

TEST(Shrinking, IsTheSameForASeedOnAnyNumberOfThreads) {
  const auto path = [](unsigned threads) {
    Settings settings = shrinking("homogeneity");
    settings.shapes = {{5, 11}};
    settings.threads = threads;
    return text_of(path_of(testing::run({keeping(in_tail, always)}, settings)));
  };
  const std::string one = path(1);
  EXPECT_EQ(path(2), one);
  EXPECT_EQ(path(5), one);
}

TEST(Shrinking, EndsInATokenThatRepeatsTheSmallestCase) {
  const impl::SubjectEntry entry = keeping(from_size(1000), always);
  const RunResult result = testing::run({entry}, shrinking("drop_rate"));
  const Shrinking& path = path_of(result);
  const RunResult again = verify(replay_plan(decode_token(path.replay), entry));
  ASSERT_THAT(again.findings, SizeIs(1));
  EXPECT_EQ(again.findings.front().verdict, Verdict::kRefuted);
  EXPECT_EQ(again.findings.front().configuration, path.smallest);
  EXPECT_EQ(again.findings.front().sentence, path.sentence);
}

TEST(Shrinking, SaysWhatStoppedIt) {
  Settings settings = shrinking("drop_rate");
  settings.shrink_limit_seconds = 1e-3;
  const RunResult result =
      testing::run({keeping(from_size(1000), always)}, settings);
  EXPECT_THAT(path_of(result).stopped, HasSubstr("limit of 0.001 s"));
}

TEST(Shrinking, TakesTheWorstOfEachCheckAndLeavesKnownOnesAlone) {
  Settings settings = shrinking("drop_rate");
  settings.drop_probabilities = {.1, .3};
  const auto entry = keeping(from_size(0), always);
  const auto shrunk = [&](const Progress& progress) {
    const RunResult result = testing::run({entry}, settings, progress);
    return std::count_if(
        result.findings.begin(), result.findings.end(),
        [](const Finding& f) { return f.shrinking.has_value(); });
  };
  EXPECT_EQ(shrunk({}), 1);
  Progress knowing;
  knowing.known = [](const Finding&) { return true; };
  EXPECT_EQ(shrunk(knowing), 0);
}

/// Plain dropout that ends by an error on ten elements or more.
template <class Error>
impl::SubjectEntry ending_from_ten() {
  Oddity odd;
  odd.forward = [](const impl::Call& call, impl::TensorView result,
                   impl::Tensor&) {
    if (call.input.size() >= 10) throw Error("ten are too many");
    return result;
  };
  return odd_subject("odd", odd);
}

Settings all_checks() {
  Settings settings = smoke(3, .1);
  settings.shrink_limit_seconds = 30;
  return settings;
}

std::vector<Finding> shrunk_findings(const impl::SubjectEntry& entry) {
  std::vector<Finding> shrunk;
  for (Finding& finding : testing::run({entry}, all_checks()).findings) {
    if (finding.shrinking) shrunk.push_back(std::move(finding));
  }
  return shrunk;
}

// Every check meets the crash; one path is enough.
TEST(Shrinking, EndsAtTheLeastSizeThatCrashes) {
  const auto shrunk = shrunk_findings(ending_from_ten<impl::SubjectCrashed>());
  ASSERT_THAT(shrunk, SizeIs(1));
  EXPECT_EQ(shrunk.front().verdict, Verdict::kCrash);
  EXPECT_EQ(shrunk.front().shrinking->smallest, "p=0.5,f32,10");
  EXPECT_EQ(shrunk.front().shrinking->stopped, "");
  EXPECT_THAT(shrunk.front().shrinking->sentence, HasSubstr("ten are too"));
}

TEST(Shrinking, EndsAtTheLeastSizeThatHangsWhereAHangCanBeEnded) {
  impl::SubjectEntry entry = ending_from_ten<impl::SubjectTimeout>();
  const auto limits =
      std::make_shared<std::vector<std::chrono::milliseconds>>();
  entry.open_within = [open = entry.open,
                       limits](std::chrono::milliseconds limit) {
    limits->push_back(limit);
    return open();
  };
  const auto shrunk = shrunk_findings(entry);
  ASSERT_THAT(shrunk, SizeIs(1));
  EXPECT_EQ(shrunk.front().shrinking->smallest, "p=0.5,f32,10");
  // A fifteenth of 30 s, not the minute of a call that is waited for.
  ASSERT_FALSE(limits->empty());
  EXPECT_EQ(limits->front(), std::chrono::seconds(2));
}

TEST(Shrinking, SaysThatAHangIsNotTriedWhereItCannotBeEnded) {
  const auto shrunk = shrunk_findings(ending_from_ten<impl::SubjectTimeout>());
  ASSERT_THAT(shrunk, SizeIs(1));
  EXPECT_TRUE(shrunk.front().shrinking->steps.empty());
  EXPECT_THAT(shrunk.front().shrinking->stopped, HasSubstr("not tried"));
}

TEST(Shrinking, EndsAtTheLeastSizeThatIsRefused) {
  const auto shrunk = shrunk_findings(ending_from_ten<impl::LayerError>());
  ASSERT_FALSE(shrunk.empty());
  for (const Finding& finding : shrunk) {
    if (finding.check != "eval_identity") continue;
    EXPECT_EQ(finding.shrinking->smallest, "p=0.5,f32,10");
  }
}

TEST(Shrinking, OfACrashIsTheSameForASeed) {
  const auto once = [] {
    return text_of(*shrunk_findings(ending_from_ten<impl::SubjectCrashed>())
                        .front()
                        .shrinking);
  };
  EXPECT_EQ(once(), once());
}

TEST(Shrinking, NeverTouchesTheEvidenceOfTheRun) {
  const auto entry = keeping(from_size(1000), always);
  Settings settings = shrinking("drop_rate");
  const RunResult with = testing::run({entry}, settings);
  settings.shrink_limit_seconds = 0;
  const RunResult without = testing::run({entry}, settings);
  EXPECT_EQ(with.log10_run_e, without.log10_run_e);
  EXPECT_EQ(with.findings.size(), without.findings.size());
}

}  // namespace
}  // namespace dropcheck::properties
