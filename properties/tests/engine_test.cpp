// What a run promises whatever the subject: the same findings on any number of
// threads and under any name, findings that can be replayed, and a finding,
// never an exception, for whatever a subject does.
//
// Runs are at smoke: a right layer takes about 0.1 s, and its battery has
// several hundred blocks, enough for 64 threads to disagree.
#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <set>
#include <thread>

#include "dropcheck/properties/check_catalogue.hpp"
#include "odd_subjects.hpp"
#include "support.hpp"

namespace dropcheck::properties {
namespace {

using impl::Call;
using impl::Shape;
using impl::SubjectEntry;
using impl::Tensor;
using impl::TensorView;
using testing::fields_of;
using ::testing::HasSubstr;
using testing::odd_subject;
using testing::Oddity;
using testing::run;
using testing::smoke;
using testing::subject;

void expect_same_findings(const RunResult& a, const RunResult& b,
                          const std::set<std::string>& but = {}) {
  ASSERT_EQ(a.findings.size(), b.findings.size());
  for (std::size_t i = 0; i < a.findings.size(); ++i) {
    const auto left = fields_of(a.findings[i]);
    const auto right = fields_of(b.findings[i]);
    ASSERT_EQ(left.size(), right.size()) << a.findings[i].id;
    for (std::size_t k = 0; k < left.size(); ++k) {
      if (but.count(left[k].first) > 0) continue;
      EXPECT_EQ(left[k], right[k]) << a.findings[i].id;
    }
  }
  EXPECT_EQ(a.log10_run_e, b.log10_run_e);
  EXPECT_EQ(a.alarm, b.alarm);
  EXPECT_EQ(a.largest_term, b.largest_term);
}

class AnyThreads : public ::testing::TestWithParam<std::string> {};

TEST_P(AnyThreads, GiveIdenticalFindings) {
  Settings settings = smoke(11);
  settings.drop_probabilities = {0.1, 0.3};
  settings.threads = 1;
  const RunResult one = run({subject(GetParam())}, settings);
  for (const unsigned threads : {2U, 7U, 64U}) {
    settings.threads = threads;
    const RunResult many = run({subject(GetParam())}, settings);
    EXPECT_EQ(many.threads, threads);
    expect_same_findings(one, many);
  }
}

INSTANTIATE_TEST_SUITE_P(Engine, AnyThreads,
                         ::testing::Values("builtin:dropout",
                                           "builtin:dropout2d",
                                           "faulty:threshold_4bit"),
                         [](const auto& one) {
                           std::string name = one.param;
                           std::replace(name.begin(), name.end(), ':', '_');
                           return name;
                         });

TEST(Engine, GivesOtherMasksForAnotherSeed) {
  Settings settings = smoke(1);
  settings.only = {"drop_rate"};
  const RunResult a = run({subject("builtin:dropout")}, settings);
  settings.seed = 2;
  const RunResult b = run({subject("builtin:dropout")}, settings);
  EXPECT_NE(a.findings.front().observed, b.findings.front().observed);
}

// A configuration's masks do not depend on what runs beside it; only the
// weights, and so the sentences about power, do.
TEST(Engine, ReadsTheSameMasksWhateverRunsBeside) {
  Settings settings = smoke(3);
  settings.only = {"independence_within", "unit_counts"};
  const RunResult alone = run({subject("builtin:dropout")}, settings);
  const RunResult beside =
      run({subject("builtin:drop_path"), subject("builtin:dropout")}, settings);
  for (const Finding& finding : alone.findings) {
    const auto same =
        std::find_if(beside.findings.begin(), beside.findings.end(),
                     [&](const Finding& f) { return f.id == finding.id; });
    ASSERT_NE(same, beside.findings.end());
    EXPECT_EQ(same->log10_e, finding.log10_e) << finding.id;
    EXPECT_EQ(same->n, finding.n) << finding.id;
  }
}

// A block has at least 16 calls, which at smoke is more than a certificate
// takes: looks that waited for its end would cost half as much again.
TEST(Engine, LooksAtTheRateBetweenCalls) {
  bool within_a_block = false;
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    Settings settings = smoke(seed);
    settings.only = {"drop_rate"};
    const Plan plan = make_plan({subject("builtin:dropout")}, settings);
    const PlannedConfiguration& planned = plan.configurations.front();
    const auto units = static_cast<std::uint64_t>(planned.units_per_call);
    const auto calls = static_cast<std::uint64_t>(planned.calls_per_block);
    const Finding finding = verify(plan, {}).findings.front();
    EXPECT_EQ(finding.verdict, Verdict::kCertified);
    EXPECT_EQ(finding.n % units, 0U);
    within_a_block = within_a_block || finding.n / units % calls != 0;
  }
  EXPECT_TRUE(within_a_block);
}

class Replay : public ::testing::TestWithParam<std::string> {};

// The token alone gives the finding again: verdict, n and e-value.
TEST_P(Replay, RepeatsEveryFinding) {
  Settings settings = smoke(5);
  settings.threads = 2;
  const SubjectEntry& entry = subject(GetParam());
  const RunResult whole = run({entry}, settings);
  ASSERT_FALSE(whole.findings.empty());
  for (const Finding& finding : whole.findings) {
    const ReplayToken token = decode_token(finding.replay);
    EXPECT_EQ(token.subject, entry.name);
    EXPECT_EQ(token.seed, settings.seed);
    // A rate rests on the structure checks, which are then replayed too.
    const RunResult again = verify(replay_plan(token, entry));
    const auto found =
        std::find_if(again.findings.begin(), again.findings.end(),
                     [&](const Finding& f) { return f.id == finding.id; });
    ASSERT_NE(found, again.findings.end()) << finding.id;
    const Finding& replayed = *found;
    EXPECT_EQ(replayed.verdict, finding.verdict) << finding.id << "\n"
                                                 << finding.sentence << "\n"
                                                 << replayed.sentence;
    EXPECT_EQ(replayed.n, finding.n) << finding.id;
    EXPECT_EQ(replayed.log10_e, finding.log10_e) << finding.id;
    EXPECT_EQ(replayed.weight, finding.weight) << finding.id;
    EXPECT_EQ(replayed.replay, finding.replay) << finding.id;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Engine, Replay,
    ::testing::Values("builtin:dropout", "builtin:drop_path",
                      "builtin:stochastic_depth", "builtin:broadcast_dropout",
                      "faulty:threshold_4bit", "faulty:lanes_of_4"),
    [](const auto& one) {
      std::string name = one.param;
      std::replace(name.begin(), name.end(), ':', '_');
      return name;
    });

TEST(Replay, RefusesACheckWithoutMeaningForTheLayer) {
  Settings settings = smoke(5);
  settings.only = {"drop_rate"};
  const RunResult whole = run({subject("builtin:dropout")}, settings);
  ReplayToken token = decode_token(whole.findings.front().replay);
  token.check = "self_normalisation";
  EXPECT_THROW(replay_plan(token, subject("builtin:dropout")),
               std::invalid_argument);
}

TEST(Engine, RunsASubjectWithoutReseedInOneSequence) {
  const auto threads = std::make_shared<std::set<std::thread::id>>();
  const auto mutex = std::make_shared<std::mutex>();
  Oddity odd;
  odd.describe = [](impl::Description& d) { d.reseed = false; };
  odd.reseed = [] { throw impl::NotSupported("cannot be reseeded"); };
  odd.forward = [=](const Call&, TensorView result, Tensor&) {
    const std::lock_guard lock(*mutex);
    threads->insert(std::this_thread::get_id());
    return result;
  };
  Settings settings = smoke(4);
  settings.threads = 7;
  const RunResult result = run({odd_subject("odd:no_reseed", odd)}, settings);
  ASSERT_FALSE(result.findings.empty());
  for (const Finding& finding : result.findings) {
    EXPECT_FALSE(finding.repeatable) << finding.id;
    const bool fine = finding.verdict == Verdict::kCertified ||
                      finding.verdict == Verdict::kNotSupported;
    EXPECT_TRUE(fine) << finding.id << " " << finding.sentence;
  }
  ASSERT_EQ(result.subjects.size(), 1u);
  EXPECT_FALSE(result.subjects.front().repeatable);
  // One configuration: the thread that planned, and the one that drew.
  EXPECT_LE(threads->size(), 2u);
}

TEST(Engine, NeverRunsLayersSideBySideThatShareAGeneratorInThisProcess) {
  const auto inside = std::make_shared<std::atomic<int>>(0);
  const auto most = std::make_shared<std::atomic<int>>(0);
  Oddity odd;
  odd.describe = [](impl::Description& d) { d.own_state = false; };
  odd.forward = [=](const Call&, TensorView result, Tensor&) {
    const int now = ++*inside;
    if (now > *most) *most = now;
    std::this_thread::sleep_for(std::chrono::microseconds(100));
    --*inside;
    return result;
  };
  impl::SubjectEntry entry = odd_subject("odd:shared", odd);
  entry.guard = true;
  Settings settings = smoke(4);
  settings.threads = 4;
  settings.drop_probabilities = {0.1, 0.3, 0.5};
  settings.only = {"drop_rate", "seeding"};
  run({entry}, settings);
  EXPECT_EQ(*most, 1);
}

TEST(Engine, LeavesNotRunWhatItWasStoppedBefore) {
  const std::atomic<bool> stop{true};
  Progress progress;
  progress.interrupt = &stop;
  const RunResult result =
      run({subject("builtin:dropout")}, smoke(1), progress);
  EXPECT_TRUE(result.interrupted);
  ASSERT_FALSE(result.findings.empty());
  for (const Finding& finding : result.findings) {
    EXPECT_EQ(finding.verdict, Verdict::kNotRun) << finding.id;
  }
  EXPECT_EQ(exit_status(result), 130);
}

TEST(Engine, KeepsWhatWasFoundBeforeItWasStopped) {
  std::atomic<bool> stop{false};
  Progress progress;
  progress.interrupt = &stop;
  progress.report = [&](std::size_t, std::size_t, const std::string&) {
    stop = true;
  };
  Settings settings = smoke(1);
  settings.drop_probabilities = {0.1, 0.3, 0.5};
  settings.threads = 1;
  const RunResult result =
      run({subject("builtin:dropout")}, settings, progress);
  EXPECT_TRUE(result.interrupted);
  const auto counts = count_verdicts(result);
  EXPECT_GT(counts.at(Verdict::kCertified), 0u);
  EXPECT_GT(counts.at(Verdict::kNotRun), 0u);
}

TEST(Engine, IsStoppedInTheMiddleOfACheck) {
  std::atomic<bool> stop{false};
  std::atomic<int> later{0};
  const Oddity stopping{.forward = [&](const impl::Call& call,
                                       impl::TensorView result, impl::Tensor&) {
    // Not in the calls that the plan makes to time the layer.
    if (stop) ++later;
    if (call.training && result.size() > 0 && call.repeat > 1) stop = true;
    return result;
  }};
  Progress progress;
  progress.interrupt = &stop;
  Settings settings = smoke(1);
  settings.only = {"independence_pairs", "higher_order"};
  const Plan plan =
      make_plan({testing::odd_subject("odd:stopping", stopping)}, settings);
  stop = false;
  later = 0;
  const RunResult result = verify(plan, progress);
  EXPECT_TRUE(result.interrupted);
  EXPECT_LE(later, 2);
  for (const Finding& finding : result.findings) {
    EXPECT_EQ(finding.verdict, Verdict::kNotRun) << finding.id;
  }
}

TEST(Engine, StopsAtTheFirstDefectIfAskedTo) {
  Settings settings = smoke(1);
  settings.drop_probabilities = {0.1, 0.3, 0.5};
  settings.threads = 1;
  settings.fail_fast = true;
  const RunResult result = run({subject("faulty:drops_nothing")}, settings);
  const auto counts = count_verdicts(result);
  EXPECT_GT(counts.at(Verdict::kRefuted), 0u);
  EXPECT_GT(counts.at(Verdict::kNotRun), 0u);
  EXPECT_FALSE(result.interrupted);
  EXPECT_EQ(exit_status(result), 1);
}

TEST(Engine, ReportsProgressOncePerConfiguration) {
  std::size_t last = 0;
  std::size_t calls = 0;
  Progress progress;
  progress.report = [&](std::size_t done, std::size_t total,
                        const std::string& what) {
    ++calls;
    EXPECT_EQ(done, last + 1);
    EXPECT_EQ(total, 4u);
    EXPECT_THAT(what, HasSubstr("builtin:dropout"));
    last = done;
  };
  Settings settings = smoke(1);
  settings.drop_probabilities = {0.1, 0.3, 0.5};
  settings.only = {"eval_identity"};
  run({subject("builtin:dropout")}, settings, progress);
  EXPECT_EQ(calls, 4u) << "three probabilities, and in place at the first";
}

// Checks read law, configuration and tensors, never a name.
TEST(Engine, DoesNotReadNames) {
  const std::vector<std::string> names{"builtin:dropout2d",
                                       "faulty:threshold_4bit",
                                       "faulty:channel_as_element"};
  std::vector<SubjectEntry> named;
  std::vector<SubjectEntry> opaque;
  for (std::size_t i = 0; i < names.size(); ++i) {
    named.push_back(subject(names[i]));
    Oddity odd;
    odd.describe = [i](impl::Description& d) {
      d.name = "x" + std::to_string(i);
      d.version = "?";
      d.generator = "?";
    };
    SubjectEntry entry = odd_subject("x" + std::to_string(i), odd, names[i]);
    entry.variants = named.back().variants;
    entry.summary = entry.defect = entry.caught_by = "";
    opaque.push_back(entry);
  }
  Settings settings = smoke(9);
  settings.drop_probabilities = {0.1, 0.3};
  expect_same_findings(run(named, settings), run(opaque, settings),
                       {"subject", "replay"});
}

// ---- Whatever a subject does ------------------------------------------------

struct Misdeed {
  std::string name;
  Oddity odd;
  std::set<Verdict> verdicts;  ///< one of them must be among the findings
  std::string base = "builtin:dropout";
  bool in_place = false;
};

void PrintTo(const Misdeed& misdeed, std::ostream* out) {
  *out << misdeed.name;
}

Misdeed throwing(std::string name, std::function<void()> what,
                 Verdict verdict) {
  Misdeed misdeed{std::move(name), {}, {verdict}};
  misdeed.odd.forward = [what = std::move(what)](const Call&, TensorView result,
                                                 Tensor&) {
    what();
    return result;
  };
  return misdeed;
}

using Change = std::function<TensorView(const TensorView&, Tensor&)>;

Misdeed returning(std::string name, Change change,
                  const std::function<bool(const Call&)>& when) {
  Misdeed misdeed{std::move(name), {}, {Verdict::kRefuted, Verdict::kError}};
  misdeed.odd.forward = [=](const Call& call, TensorView result, Tensor& room) {
    return when(call) ? change(result, room) : result;
  };
  return misdeed;
}

TensorView smaller(const TensorView& view, Tensor& room) {
  Shape shape = view.shape;
  shape.back() = 1;
  return testing::resized(view, room, shape);
}

TensorView larger(const TensorView& view, Tensor& room) {
  Shape shape = view.shape;
  shape.back() *= 3;
  return testing::resized(view, room, shape);
}

TensorView empty(const TensorView& view, Tensor& room) {
  return testing::resized(view, room, {0});
}

std::vector<Misdeed> misdeeds() {
  const auto always = [](const Call&) { return true; };
  const auto training = [](const Call& call) { return call.training; };
  const auto evaluating = [](const Call& call) { return !call.training; };
  const auto single = [](const Call& call) {
    return call.training && call.repeat == 1;
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  const auto fill = [](double value) -> Change {
    return [value](const TensorView& view, Tensor& room) {
      return testing::filled(view, room, value);
    };
  };
  const auto convert = [](impl::DType dtype) -> Change {
    return [dtype](const TensorView& view, Tensor& room) {
      return testing::converted(view, room, dtype);
    };
  };
  std::vector<Misdeed> all{
      throwing(
          "throws_layer_error", [] { throw impl::LayerError("no, thanks"); },
          Verdict::kRefuted),
      throwing(
          "throws_bad_alloc", [] { throw std::bad_alloc(); }, Verdict::kError),
      throwing(
          "throws_adapter_error", [] { throw impl::AdapterError("garbage"); },
          Verdict::kError),
      throwing(
          "crashes", [] { throw impl::SubjectCrashed("signal 11"); },
          Verdict::kCrash),
      throwing(
          "hangs", [] { throw impl::SubjectTimeout("60 s"); },
          Verdict::kTimeout),
      throwing(
          "throws_no_std_exception", [] { throw 42; }, Verdict::kError),
      returning("returns_a_smaller_shape", smaller, always),
      returning("returns_a_larger_shape", larger, always),
      returning("returns_a_smaller_shape_at_evaluation", smaller, evaluating),
      returning("returns_a_larger_shape_at_evaluation", larger, evaluating),
      returning("returns_a_smaller_shape_for_one_call", smaller, single),
      returning("returns_nothing", empty, always),
      returning("returns_nothing_for_one_call", empty, single),
      returning("returns_nothing_at_evaluation", empty, evaluating),
      returning("returns_f64", convert(impl::DType::kFloat64), always),
      returning("returns_bf16_in_training", convert(impl::DType::kBFloat16),
                training),
      returning("returns_f64_for_one_call", convert(impl::DType::kFloat64),
                single),
      returning("returns_nan", fill(nan), always),
      returning("returns_nan_in_training", fill(nan), training),
      returning("returns_infinity", fill(infinity), always),
      returning("returns_a_constant", fill(1.5), always),
      returning("returns_zero_at_evaluation", fill(0), evaluating)};
  for (const bool more : {false, true}) {
    Misdeed misdeed{more ? "returns_a_larger_gradient" : "returns_no_gradient",
                    {},
                    {Verdict::kRefuted, Verdict::kError}};
    misdeed.odd.backward = [more](TensorView view, Tensor& room) {
      return more ? larger(view, room) : empty(view, room);
    };
    all.push_back(misdeed);
  }
  Misdeed refuses{"refuses_to_be_made", {}, {Verdict::kRefuted}};
  refuses.odd.make = [](const impl::LayerConfig&) {
    throw impl::LayerError("I cannot");
  };
  all.push_back(refuses);
  Misdeed lacks{"lacks_everything", {}, {Verdict::kNotSupported}};
  lacks.odd.make = [](const impl::LayerConfig&) {
    throw impl::NotSupported("not here");
  };
  all.push_back(lacks);
  Misdeed copies{"ignores_in_place", {}, {Verdict::kRefuted}};
  copies.in_place = true;
  copies.odd.forward = [](const Call& call, TensorView result, Tensor& room) {
    if (call.repeat != 1 || result.data != call.input.data) return result;
    // Another memory; whether the input changed too is not the point.
    return testing::converted(result, room, result.dtype);
  };
  all.push_back(copies);
  return all;
}

class Odd : public ::testing::TestWithParam<Misdeed> {};

TEST_P(Odd, EndsInFindingsNeverInAnException) {
  const Misdeed& misdeed = GetParam();
  SubjectEntry entry = odd_subject("odd:x", misdeed.odd, misdeed.base);
  if (misdeed.in_place) {
    entry.variants.push_back({.layer = entry.layer, .in_place = true});
  }
  RunResult result;
  ASSERT_NO_THROW(result = run({entry}, smoke(1)));
  ASSERT_FALSE(result.findings.empty());
  EXPECT_TRUE(std::any_of(
      result.findings.begin(), result.findings.end(),
      [&](const Finding& f) { return misdeed.verdicts.count(f.verdict) > 0; }))
      << name_of(worst(result));
  EXPECT_NE(exit_status(result), 0);
  for (const Finding& finding : result.findings) {
    EXPECT_FALSE(finding.sentence.empty()) << finding.id;
  }
}

INSTANTIATE_TEST_SUITE_P(Subject, Odd, ::testing::ValuesIn(misdeeds()),
                         [](const auto& one) { return one.param.name; });

// NaN is readable as nothing, least of all as a pass.
TEST(Odd, CertifiesNoMaskOfALayerThatReturnsNaN) {
  Oddity odd;
  odd.forward = [](const Call&, TensorView result, Tensor& room) {
    return testing::filled(result, room,
                           std::numeric_limits<double>::quiet_NaN());
  };
  const RunResult result = run({odd_subject("odd:nan", odd)}, smoke(1));
  for (const Finding& finding : result.findings) {
    const bool about_the_mask =
        finding.check != "edge_probabilities" && finding.check != "in_place";
    if (about_the_mask) {
      EXPECT_NE(finding.verdict, Verdict::kCertified)
          << finding.id << ": " << finding.sentence;
    }
  }
}

TEST(Odd, SaysThatThereIsTooLittleMemory) {
  Oddity odd;
  odd.forward = [](const Call&, TensorView, Tensor&) -> TensorView {
    throw std::bad_alloc();
  };
  const RunResult result = run({odd_subject("odd:large", odd)}, smoke(1));
  EXPECT_TRUE(std::any_of(result.findings.begin(), result.findings.end(),
                          [](const Finding& finding) {
                            return finding.sentence.find("too little memory") !=
                                   std::string::npos;
                          }));
}

// Of masks without a drop nothing follows about seeds.
TEST(Odd, CertifiesNoSeedsOfALayerThatDropsNothing) {
  Settings settings = smoke(1);
  settings.only = {"seeding"};
  const RunResult result = run({subject("faulty:drops_nothing")}, settings);
  EXPECT_EQ(worst(result), Verdict::kInconclusive);
}

TEST(Odd, OpensToOneErrorAndLetsTheOthersRun) {
  Oddity odd;
  odd.open = [] { throw impl::AdapterError("no such library"); };
  Settings settings = smoke(1);
  settings.only = {"drop_rate"};
  const RunResult result = run(
      {odd_subject("odd:closed", odd), subject("builtin:dropout")}, settings);
  ASSERT_EQ(result.findings.size(), 3u) << "plain and in place, and an error";
  EXPECT_EQ(result.findings[0].verdict, Verdict::kError);
  EXPECT_EQ(result.findings[0].subject, "odd:closed");
  EXPECT_THAT(result.findings[0].sentence, HasSubstr("no such library"));
  EXPECT_EQ(result.findings[1].verdict, Verdict::kCertified);
  EXPECT_EQ(result.subjects.size(), 2u);
  EXPECT_EQ(exit_status(result), 4);
}

// Opened for the plan, then never again: the worker died with its machine.
TEST(Odd, MayBeLostAfterThePlan) {
  const auto opened = std::make_shared<std::atomic<int>>(0);
  Oddity odd;
  odd.open = [opened] {
    if (++*opened > 1) throw impl::AdapterError("gone");
  };
  const RunResult result =
      run({odd_subject("odd:lost", odd), subject("builtin:dropout")}, smoke(1));
  for (const Finding& finding : result.findings) {
    const bool lost = finding.subject == "odd:lost";
    EXPECT_EQ(finding.verdict == Verdict::kError, lost) << finding.id;
  }
}

// Three requests enter no check of values: two that time the layer and one
// that calibrates. Then one value of one call is wrong.
TEST(Odd, MayNotLeakItsOneBadCallAmongMany) {
  const auto requests = std::make_shared<std::atomic<int>>(0);
  Oddity odd;
  odd.forward = [requests](const Call& call, TensorView result, Tensor& room) {
    if (!call.training || call.repeat < 2) return result;
    if (++*requests != 4) return result;
    room = Tensor(result.dtype, result.shape);
    impl::copy(result, room.view());
    room.view().set(5, 123);
    return room.view();
  };
  Settings settings = smoke(1);
  settings.only = {"support"};
  settings.threads = 1;
  const RunResult result = run({odd_subject("odd:once", odd)}, settings);
  ASSERT_EQ(result.findings.size(), 1u);
  EXPECT_EQ(result.findings[0].verdict, Verdict::kRefuted);
  EXPECT_THAT(result.findings[0].sentence, HasSubstr("becomes 123"));
  EXPECT_THAT(result.findings[0].sentence, HasSubstr("[0, 5]"));
}

// There is no rate to test at the ends, and no mask to read.
TEST(Run, ChecksTheEndsOfTheRangeOnly) {
  Settings settings = smoke(3);
  settings.drop_probabilities = {0, 1};
  const RunResult result = run({subject("builtin:dropout")}, settings);
  ASSERT_FALSE(result.findings.empty());
  for (const Finding& finding : result.findings) {
    EXPECT_EQ(finding.verdict, Verdict::kCertified) << finding.id;
    EXPECT_TRUE(finding.check == "eval_identity" ||
                finding.check == "edge_probabilities" ||
                finding.check == "rare_events")
        << finding.id;
  }
  EXPECT_EQ(exit_status(result), 0);
}

// Nearly nothing is dropped: what cannot be decided stays open, in bounded
// memory and time, and nothing is refuted.
TEST(Run, LeavesARightLayerOpenAtExtremeProbabilities) {
  Settings settings = smoke(3);
  settings.drop_probabilities = {1e-9, 1 - 2e-9};
  settings.dtypes = {impl::DType::kFloat32};
  const RunResult result = run({subject("builtin:dropout")}, settings);
  for (const Finding& finding : result.findings) {
    EXPECT_GE(finding.verdict, Verdict::kInconclusive)
        << finding.id << ": " << finding.sentence;
  }
  EXPECT_EQ(exit_status(result), 3);
}

// A rate rests on structure, also where only the rate was asked for.
TEST(Run, CertifiesNoRateOfDependentUnitsUnasked) {
  Settings settings = smoke(3);
  settings.drop_probabilities = {0.3};
  settings.only = {"drop_rate"};
  const RunResult result = run({subject("faulty:lanes_of_4")}, settings);
  ASSERT_FALSE(result.findings.empty());
  for (const Finding& finding : result.findings) {
    EXPECT_EQ(finding.check, "drop_rate");
    EXPECT_NE(finding.verdict, Verdict::kCertified) << finding.id;
  }
}

TEST(Run, WithoutSubjectsHasNothing) {
  const RunResult result = run({}, smoke(1));
  EXPECT_TRUE(result.findings.empty());
  EXPECT_EQ(exit_status(result), 5);
}

}  // namespace
}  // namespace dropcheck::properties
