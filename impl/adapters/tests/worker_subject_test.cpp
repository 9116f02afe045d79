// The host against workers that crash, hang, exit and talk nonsense: every
// failure has the error type that the run turns into a finding, and a new
// layer works afterwards.
#include "dropcheck/impl/adapters/worker_subject.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <thread>

#include "dropcheck/impl/adapters/torch_subjects.hpp"
#include "dropcheck/impl/layout.hpp"
#include "dropcheck/impl/registry.hpp"

namespace dropcheck::impl::adapters {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

WorkerOptions fake(const std::string& mode) {
  WorkerOptions options;
  options.command = {FAKE_WORKER, mode};
  return options;
}

template <class Error, class Function>
std::string message_of(Function function) {
  try {
    function();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

Tensor small() { return Tensor(DType::kFloat32, {2, 3}, {1, 2, 3, 4, 5, 6}); }

/// The fake worker gives its process number as its version.
std::string process_of(const Subject& subject) {
  return subject.describe().version;
}

void call(Subject& subject) {
  Tensor input = small();
  subject.make({})->forward({input.view()});
}

bool runs(pid_t process) { return ::kill(process, 0) == 0; }

bool ends_within(pid_t process, std::chrono::seconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (runs(process)) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(milliseconds(10));
  }
  return true;
}

TEST(WorkerSubject, CallsTheLayer) {
  WorkerSubject subject(fake("copy"));
  EXPECT_EQ(subject.describe().name, "fake");
  const auto layer = subject.make({});
  Tensor input = small();
  const TensorView output = layer->forward({input.view()});
  EXPECT_EQ(output.shape, input.shape());
  EXPECT_NE(output.data, input.view().data);
  EXPECT_EQ(output.value(5), 6);
}

// Inputs without a number are compared with what the worker has.
TEST(WorkerSubject, TakesTheWordOfWhoNumbersInputs) {
  WorkerSubject subject(fake("copy"));
  const auto layer = subject.make({});
  Tensor input = small();
  const auto sixth = [&](std::uint64_t number) {
    return layer->forward({input.view(), true, 1, number}).value(5);
  };
  EXPECT_EQ(sixth(7), 6);
  input.view().set(5, 60);
  EXPECT_EQ(sixth(7), 6);
  EXPECT_EQ(sixth(8), 60);
  input.view().set(5, 600);
  EXPECT_EQ(sixth(0), 600);
}

TEST(WorkerSubject, ClonesALayerWithItsState) {
  WorkerSubject subject(fake("mirror"));
  auto layer = subject.make({});
  layer->reseed(7);
  const auto copy = layer->clone();
  layer->reseed(8);
  Tensor input = small();
  EXPECT_EQ(copy->forward({input.view()}).value(2), 7);
  EXPECT_EQ(layer->forward({input.view()}).value(2), 8);
  layer.reset();
  EXPECT_EQ(copy->forward({input.view()}).value(2), 7);
}

TEST(WorkerSubject, ClonesNothingThatDoesNotDeclareIt) {
  WorkerSubject subject(fake("stateful"));
  EXPECT_FALSE(subject.describe().clone);
  EXPECT_THROW(subject.make({})->clone(), NotSupported);
}

TEST(WorkerSubject, DeclaresOptions) {
  WorkerSubject subject(fake("declares"));
  EXPECT_THAT(subject.describe().options,
              testing::ElementsAre(DeclaredOption{"at_one", "error"}));
  EXPECT_THAT(WorkerSubject(fake("copy")).describe().options,
              testing::IsEmpty());
}

TEST(WorkerSubject, StacksRepeatedCallsWithAndWithoutSharedMemory) {
  for (const bool shared : {false, true}) {
    WorkerOptions options = fake("copy");
    options.shared_memory = shared;
    WorkerSubject subject(options);
    const auto layer = subject.make({});
    for (const std::int64_t extent : {3, 5000, 500000, 70000}) {
      Tensor input(DType::kFloat32, {extent});
      input.view().set(extent - 1, 9);
      const TensorView output = layer->forward({input.view(), true, 4});
      EXPECT_EQ(output.shape, (Shape{4, extent}));
      EXPECT_EQ(output.value(4 * extent - 1), 9);
      EXPECT_EQ(output.value(0), 0);
    }
  }
}

// Results are borrowed until the next call on the same layer, not on another.
TEST(WorkerSubject, KeepsTheResultsOfTwoLayersApart) {
  WorkerSubject subject(fake("copy"));
  const auto first = subject.make({});
  const auto second = subject.make({});
  Tensor ones(DType::kFloat64, {4096}, std::vector<double>(4096, 1));
  Tensor twos(DType::kFloat64, {4096}, std::vector<double>(4096, 2));
  const TensorView a = first->forward({ones.view()});
  const TensorView b = second->forward({twos.view()});
  EXPECT_EQ(a.value(4095), 1);
  EXPECT_EQ(b.value(4095), 2);
}

TEST(WorkerSubject, NoticesThatTheInputChangedInTheSameMemory) {
  WorkerSubject subject(fake("copy"));
  const auto layer = subject.make({});
  Tensor input = small();
  for (int value = 0; value < 20; ++value) {
    input.view().set(0, value % 10);
    EXPECT_EQ(layer->forward({input.view()}).value(0), value % 10);
  }
}

TEST(WorkerSubject, ReturnsTheInputItselfWhereTheLayerDoes) {
  WorkerSubject subject(fake("alias"));
  Tensor input = small();
  const TensorView output = subject.make({})->forward({input.view()});
  EXPECT_EQ(output.data, input.view().data);
}

TEST(WorkerSubject, WritesInPlaceIntoTheCallersMemory) {
  WorkerSubject subject(fake("copy"));
  LayerConfig config;
  config.in_place = true;
  const auto layer = subject.make(config);
  Tensor input = small();
  const TensorView output = layer->forward({input.view()});
  EXPECT_EQ(output.data, input.view().data);
  EXPECT_EQ(input.view().value(0), 42);
  EXPECT_EQ(input.view().value(1), 2);
}

TEST(WorkerSubject, ShowsThatTheLayerChangedItsInputUnasked) {
  WorkerSubject subject(fake("changes-input"));
  const auto layer = subject.make({});
  for (int round = 0; round < 2; ++round) {
    Tensor input = small();
    const TensorView output = layer->forward({input.view()});
    EXPECT_NE(output.data, input.view().data);
    EXPECT_EQ(input.view().value(0), -1);
  }
}

TEST(WorkerSubject, KeepsStridesInBothDirections) {
  Tensor memory = small();
  const TensorView columns{memory.bytes(), DType::kFloat32, {2, 3}, {1, 2}};
  WorkerSubject mirror(fake("mirror"));
  EXPECT_EQ(mirror.make({})->forward({columns}).value(0), 2);
  WorkerSubject transposed(fake("transposed"));
  const auto layer = transposed.make({});
  const TensorView output = layer->forward({memory.view()});
  EXPECT_EQ(output.strides, (Shape{1, 2}));
  EXPECT_EQ(output.value(2), 3);
}

TEST(WorkerSubject, TellsWhichStridesTheWorkerTakes) {
  EXPECT_EQ(WorkerSubject(fake("")).describe().strides, Strides::kNonNegative);
  EXPECT_EQ(WorkerSubject(fake("compact")).describe().strides,
            Strides::kCompact);
}

TEST(WorkerSubject, PutsTheInputWhereTheCallerHasIt) {
  WorkerSubject mirror(fake("mirror"));
  const auto layer = mirror.make({});
  for (const Layout layout :
       {Layout::kContiguous, Layout::kOffset, Layout::kContiguous}) {
    const LaidOut input(small(), layout);
    EXPECT_EQ(layer->forward({input.view()}).value(3),
              layout == Layout::kOffset ? sizeof(float) : 0);
  }
}

TEST(WorkerSubject, SeesWritesIntoTheGapsOfAnInput) {
  WorkerSubject subject(fake("fills-gaps"));
  const auto layer = subject.make({});
  const LaidOut input(small(), Layout::kStepped);
  for (int round = 0; round < 2; ++round) {
    EXPECT_THAT(
        message_of<MemoryViolation>([&] { layer->forward({input.view()}); }),
        HasSubstr("writes into the gaps of its input"));
  }
  EXPECT_EQ(input.damage("it"), std::nullopt);
}

TEST(WorkerSubject, PassesSeedAndGradient) {
  WorkerSubject subject(fake("mirror"));
  const auto layer = subject.make({});
  layer->reseed(1234567);
  Tensor input = small();
  EXPECT_EQ(layer->forward({input.view()}).value(2), 1234567);
  EXPECT_EQ(layer->backward(input.view()).value(5), 6);
}

TEST(WorkerSubject, TellsTheErrorsOfALayerApart) {
  Tensor input = small();
  const auto forward = [&](const char* mode) {
    WorkerSubject subject(fake(mode));
    subject.make({})->forward({input.view()});
  };
  EXPECT_EQ(message_of<LayerError>([&] { forward("layer-error"); }),
            "p is wrong");
  EXPECT_EQ(message_of<NotSupported>([&] { forward("not-supported"); }),
            "not here");
  EXPECT_THAT(message_of<AdapterError>([&] { forward("adapter-error"); }),
              HasSubstr("broken"));
  WorkerSubject subject(fake("copy"));
  LayerConfig config;
  config.drop_probability = std::nan("");
  EXPECT_THROW(subject.make(config), LayerError);
  EXPECT_NO_THROW(subject.make({}));
}

TEST(WorkerSubject, PassesAWrongShapeOnToTheOracle) {
  WorkerSubject subject(fake("wrong-shape"));
  const auto layer = subject.make({});
  Tensor input = small();
  EXPECT_EQ(layer->forward({input.view()}).shape, (Shape{2, 2}));
  EXPECT_THROW(layer->forward({input.view(), true, 7}), AdapterError);
}

TEST(WorkerSubject, NamesTheSignalAndShowsStandardError) {
  WorkerSubject subject(fake("abort"));
  const auto layer = subject.make({});
  Tensor input = small();
  const auto text =
      message_of<SubjectCrashed>([&] { layer->forward({input.view()}); });
  EXPECT_THAT(text, HasSubstr("was killed by SIGABRT (Aborted)"));
  EXPECT_THAT(text, HasSubstr("assertion failed: mask"));
}

TEST(WorkerSubject, RecoversFromACrash) {
  WorkerSubject subject(fake("crash"));
  Tensor input = small();
  const auto bystander = subject.make({});
  for (int round = 0; round < 2; ++round) {
    const auto layer = subject.make({});
    EXPECT_THAT(
        message_of<SubjectCrashed>([&] { layer->forward({input.view()}); }),
        HasSubstr("SIGSEGV"));
    EXPECT_THROW(layer->forward({input.view()}), SubjectCrashed);
  }
  EXPECT_THROW(bystander->forward({input.view()}), SubjectCrashed);
}

TEST(WorkerSubject, NamesTheExitStatus) {
  WorkerSubject subject(fake("quit"));
  const auto layer = subject.make({});
  Tensor input = small();
  EXPECT_THAT(
      message_of<SubjectCrashed>([&] { layer->forward({input.view()}); }),
      HasSubstr("exited with status 3 during 'forward'"));
}

TEST(WorkerSubject, KillsAWorkerThatHangs) {
  WorkerOptions options = fake("hang");
  options.call_timeout = milliseconds(200);
  WorkerSubject subject(options);
  Tensor input = small();
  const auto layer = subject.make({});
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THAT(
      message_of<SubjectTimeout>([&] { layer->forward({input.view()}); }),
      HasSubstr("within 200ms"));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
  EXPECT_NO_THROW(subject.make({}));
}

TEST(WorkerSubject, BringsTheMaskThatALayerHandsOut) {
  WorkerSubject subject(fake("masked"));
  ASSERT_TRUE(subject.describe().mask_output);
  const auto layer = subject.make({});
  Tensor input = small();
  layer->forward({input.view()});
  const auto mask = layer->mask();
  EXPECT_EQ(std::vector<std::uint8_t>(mask.begin(), mask.end()),
            (std::vector<std::uint8_t>{1, 0, 1}));
  WorkerSubject other(fake("mirror"));
  EXPECT_THROW(other.make({})->mask(), NotSupported);
}

// The heartbeat: what a worker that does not answer was doing.
TEST(WorkerSubject, SaysWhatALateWorkerDid) {
  const auto late = [](const std::string& mode) {
    WorkerOptions options = fake(mode);
    options.call_timeout =
        mode == "stop" ? std::chrono::hours(1) : milliseconds(1000);
    WorkerSubject subject(options);
    Tensor input = small();
    const auto layer = subject.make({});
    return message_of<SubjectTimeout>([&] { layer->forward({input.view()}); });
  };
  EXPECT_THAT(late("hang"), HasSubstr("waiting, not computing"));
  EXPECT_THAT(late("compute"), HasSubstr("it was computing"));
  EXPECT_THAT(late("stop"), HasSubstr("within 5000ms and was killed: it was "
                                      "stopped"));
}

TEST(WorkerSubject, KillsAWorkerThatUsesTooMuchMemory) {
  WorkerOptions options = fake("memory");
  options.memory_limit = std::uint64_t{128} << 20;
  options.reuse = false;
  WorkerSubject subject(options);
  Tensor input = small();
  const auto layer = subject.make({});
  EXPECT_THAT(
      message_of<SubjectCrashed>([&] { layer->forward({input.view()}); }),
      HasSubstr("more than the 0.12 that it may"));
  EXPECT_NO_THROW(subject.make({}));
}

TEST(WorkerSubject, RefusesTextBetweenTheFrames) {
  WorkerSubject subject(fake("noise"));
  const auto layer = subject.make({});
  Tensor input = small();
  EXPECT_THAT(message_of<AdapterError>([&] { layer->forward({input.view()}); }),
              AllOf(HasSubstr("'nobody e'"), HasSubstr("xpects this text")));
  EXPECT_NO_THROW(subject.make({}));
}

TEST(WorkerSubject, CallsAProgramThatIsNoWorkerAnAdapterError) {
  const auto open = [](const std::string& mode) {
    return message_of<AdapterError>([&] {
      WorkerOptions options = fake(mode);
      options.start_timeout = milliseconds(300);
      WorkerSubject subject(options);
    });
  };
  EXPECT_THAT(open("garbage"), HasSubstr("'Hello, I"));
  EXPECT_THAT(open("exit"), HasSubstr("exited with status 7"));
  EXPECT_THAT(open("mute"), HasSubstr("300ms"));
  EXPECT_THAT(message_of<AdapterError>([] { open_command({"/no/such"}); }),
              HasSubstr("/no/such"));
  EXPECT_THROW(open_command({"no-such-program-anywhere"}), AdapterError);
  EXPECT_THROW(open_command({}), AdapterError);
  EXPECT_THAT(message_of<AdapterError>([] {
                open_command({FAKE_WORKER, "copy"}, "other");
              }),
              HasSubstr("no subject 'other'"));
}

TEST(WorkerSubject, RefusesFramesOverTheLimit) {
  WorkerOptions options = fake("copy");
  options.longest_frame = 4096;
  options.shared_memory = false;
  WorkerSubject subject(options);
  const auto layer = subject.make({});
  Tensor large(DType::kFloat32, {2000});
  EXPECT_THROW(layer->forward({large.view()}), AdapterError);
  Tensor medium(DType::kFloat32, {200});
  EXPECT_NO_THROW(layer->forward({medium.view()}));
  EXPECT_THAT(message_of<AdapterError>([&] {
                layer->forward({medium.view(), true, 100});
              }),
              HasSubstr("at most 4096"));
}

TEST(WorkerSubject, LivesInAProcessOfItsOwn) {
  const WorkerSubject first(fake("copy"));
  const WorkerSubject second(fake("copy"));
  EXPECT_NE(first.describe().version, second.describe().version);
}

TEST(WorkerReuse, LetsOneProcessServeTwoSubjectsInTurn) {
  std::string process;
  for (int round = 0; round < 3; ++round) {
    WorkerSubject subject(fake("copy"));
    if (round > 0) {
      EXPECT_EQ(process_of(subject), process);
    }
    process = process_of(subject);
    call(subject);
    Tensor large(DType::kFloat32, {100000});
    large.view().set(99999, round);
    const auto layer = subject.make({});
    const TensorView output = layer->forward({large.view(), true, 2});
    EXPECT_EQ(output.value(199999), round);
  }
}

TEST(WorkerReuse, IsDeclinedByTheOption) {
  WorkerOptions options = fake("copy");
  options.reuse = false;
  const std::string first = process_of(WorkerSubject(options));
  EXPECT_NE(process_of(WorkerSubject(options)), first);
}

TEST(WorkerReuse, NeverMixesCommands) {
  const std::string first = process_of(WorkerSubject(fake("copy")));
  EXPECT_NE(process_of(WorkerSubject(fake("alias"))), first);
}

// Errors of the layer say nothing against the process; all others do.
TEST(WorkerReuse, NeverTakesASuspectProcess) {
  for (const auto& [mode, trusted] : {std::pair{"layer-error", true},
                                      {"not-supported", true},
                                      {"adapter-error", false},
                                      {"crash", false},
                                      {"noise", false},
                                      {"stateful", false}}) {
    std::string process;
    {
      WorkerSubject subject(fake(mode));
      process = process_of(subject);
      try {
        call(subject);
      } catch (const std::runtime_error&) {
      }
    }
    EXPECT_EQ(process_of(WorkerSubject(fake(mode))) == process, trusted)
        << mode;
  }
}

TEST(WorkerReuse, TakesAProcessThatOnlyDescribedItself) {
  const std::string first = process_of(WorkerSubject(fake("stateful")));
  EXPECT_EQ(process_of(WorkerSubject(fake("stateful"))), first);
}

TEST(WorkerReuse, NeverTakesAProcessThatDiedWhileItWaited) {
  const std::string first = process_of(WorkerSubject(fake("copy")));
  ::kill(std::stoi(first), SIGKILL);
  WorkerSubject subject(fake("copy"));
  EXPECT_NE(process_of(subject), first);
  EXPECT_NO_THROW(call(subject));
}

TEST(WorkerReuse, DestroysTheLayersOfAFinishedSubject) {
  std::string process;
  for (int round = 0; round < 3; ++round) {
    WorkerSubject subject(fake("census"));
    if (round > 0) {
      EXPECT_EQ(process_of(subject), process);
    }
    process = process_of(subject);
    const auto first = subject.make({});
    const auto second = subject.make({});
    Tensor input = small();
    EXPECT_EQ(second->forward({input.view()}).value(0), 2);
  }
}

TEST(WorkerReuse, KeepsFourProcesses) {
  std::vector<std::string> processes;
  {
    std::vector<std::unique_ptr<WorkerSubject>> subjects;
    for (int i = 0; i < 6; ++i) {
      subjects.push_back(std::make_unique<WorkerSubject>(fake("copy")));
      processes.push_back(process_of(*subjects.back()));
    }
  }
  EXPECT_EQ(std::ranges::count_if(
                processes,
                [](const std::string& one) { return runs(std::stoi(one)); }),
            4);
}

// Ctrl-C reaches the terminal's group: the worker must be in another.
TEST(WorkerSubject, RunsInAProcessGroupOfItsOwn) {
  WorkerSubject subject(fake("copy"));
  const pid_t worker = std::stoi(process_of(subject));
  EXPECT_EQ(::getpgid(worker), worker);
  EXPECT_NE(::getpgid(worker), ::getpgid(0));
}

// The host is a fork of this test that calls a layer and is then killed, as
// nothing can prevent. A worker that waits ends at once; one that computes
// forever ends after its grace.
TEST(WorkerSubject, EndsWhenTheHostIsKilled) {
  for (const std::string mode : {"copy", "hang"}) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    const pid_t host = ::fork();
    ASSERT_GE(host, 0);
    if (host == 0) {
      WorkerSubject subject(fake(mode));
      const pid_t worker = std::stoi(process_of(subject));
      if (::write(ends[1], &worker, sizeof worker) < 0) ::_exit(1);
      call(subject);
      ::pause();
    }
    pid_t worker = 0;
    ASSERT_EQ(::read(ends[0], &worker, sizeof worker),
              static_cast<ssize_t>(sizeof worker));
    std::this_thread::sleep_for(milliseconds(100));
    EXPECT_TRUE(runs(worker));
    ::kill(host, SIGKILL);
    ::waitpid(host, nullptr, 0);
    EXPECT_TRUE(ends_within(worker, std::chrono::seconds(10))) << mode;
    ::close(ends[0]);
    ::close(ends[1]);
  }
}

// Two threads, a worker each, restarts included: no fork may inherit the
// other worker's pipes, else its end would go unnoticed.
TEST(WorkerSubject, WorksInTwoThreadsAtOnce) {
  const auto crash_often = [] {
    for (int round = 0; round < 8; ++round) {
      WorkerSubject subject(fake("crash"));
      Tensor input = small();
      EXPECT_THROW(subject.make({})->forward({input.view()}), SubjectCrashed);
    }
  };
  std::thread first(crash_often);
  std::thread second(crash_often);
  first.join();
  second.join();
}

TEST(WorkerSubject, LeavesSigpipeAsItFoundIt) {
  struct sigaction before = {};
  sigaction(SIGPIPE, nullptr, &before);
  WorkerSubject subject(fake("crash"));
  Tensor input = small();
  EXPECT_THROW(subject.make({})->forward({input.view()}), SubjectCrashed);
  struct sigaction after = {};
  sigaction(SIGPIPE, nullptr, &after);
  EXPECT_EQ(after.sa_handler, before.sa_handler);
}

TEST(ListSubjects, ReadsWhatAWorkerServes) {
  const auto subjects = list_subjects(fake("copy"));
  ASSERT_EQ(subjects.size(), 1U);
  EXPECT_EQ(subjects[0].name, "fake");
  EXPECT_EQ(subjects[0].layer, "dropout");
}

TEST(TorchSubjects, AreListedWithoutAWorkerAndSayWhatIsMissing) {
  ::setenv("DROPCHECK_TORCH_WORKER", "/no/such/worker", 1);
  const auto entries = torch_subjects();
  ::unsetenv("DROPCHECK_TORCH_WORKER");
  EXPECT_GE(entries.size(), 15U);
  ::setenv("DROPCHECK_TORCH_WORKER", "/no/such/worker", 1);
  EXPECT_THAT(message_of<AdapterError>([&] { entries[0].open(); }),
              HasSubstr("/no/such/worker"));
  ::unsetenv("DROPCHECK_TORCH_WORKER");
}

}  // namespace
}  // namespace dropcheck::impl::adapters
