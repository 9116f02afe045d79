// What the guard sees of a layer in this process, and what it leaves alone.
// Calls that never return sleep, so two seconds of patience cost no processor;
// they are long enough for every other call on a busy machine.
#include "dropcheck/impl/guarded_subject.hpp"

#include <gmock/gmock.h>

#include <functional>
#include <limits>
#include <set>
#include <thread>

#include "dropcheck/impl/input_holder.hpp"
#include "dropcheck/impl/simple_layer.hpp"
#include "support.hpp"

namespace dropcheck::impl {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using testing::counting;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
using testing::values_of;

/// A layer that is one function.
using Body = std::function<void(const TensorView& input, bool training,
                                const TensorView& output)>;
struct Scripted {
  Body body;
  Body gradient = {};
  void forward(const TensorView& input, bool training,
               const TensorView& output) {
    body(input, training, output);
  }
  void backward(const TensorView& grad, const TensorView& result) {
    gradient(grad, true, result);
  }
};

SubjectEntry entry_of(const Scripted& scripted) {
  const auto make = [scripted](const LayerConfig& config) {
    return std::make_unique<SimpleLayer<Scripted>>(scripted, config.in_place);
  };
  SubjectEntry entry;
  entry.name = "scripted";
  entry.layer = "dropout";
  entry.open = [make]() -> std::unique_ptr<Subject> {
    return std::make_unique<InProcessSubject<decltype(make)>>(Description{},
                                                              make);
  };
  return entry;
}

std::unique_ptr<Layer> layer_of(const Scripted& scripted,
                                const LayerConfig& config = {}) {
  return guarded(entry_of(scripted), hours(1)).open()->make(config);
}

void copy_all(const TensorView& input, bool, const TensorView& output) {
  copy(input, output);
}

[[noreturn]] void hang() {
  for (;;) std::this_thread::sleep_for(hours(1));
}

TEST(Guard, KeepsShapeStridesAlignmentAndValues) {
  Tensor room = counting(DType::kFloat32, {4, 6});
  TensorView view = room.view();
  view.data = static_cast<float*>(view.data) + 11;
  view.shape = {2, 3};
  view.strides = {-6, 2};  // a row up, every second column
  TensorView seen;
  std::vector<double> values;
  const auto layer =
      layer_of({[&](const TensorView& input, bool, const TensorView&) {
        seen = input;
        values = values_of(input);
      }});
  layer->forward({view});
  EXPECT_EQ(seen.shape, view.shape);
  EXPECT_EQ(seen.strides, view.strides);
  EXPECT_NE(seen.data, view.data);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(seen.data) % 64,
            reinterpret_cast<std::uintptr_t>(view.data) % 64);
  EXPECT_THAT(values, ElementsAre(12, 14, 16, 6, 8, 10));
}

TEST(Guard, GivesResultsInPlaceInTheCallersMemory) {
  const auto layer =
      layer_of({[](const TensorView& input, bool, const TensorView& output) {
                 EXPECT_EQ(input.data, output.data);
                 output.set(1, 7);
               }},
               {.in_place = true});
  Tensor input = counting(DType::kFloat32, {3});
  const TensorView result = layer->forward({input.view()});
  EXPECT_EQ(result.data, input.view().data);
  EXPECT_THAT(values_of(input.view()), ElementsAre(1, 7, 3));
}

// Whether that is right is for the checks to say.
TEST(Guard, LetsAChangedInputBeSeen) {
  const auto layer = layer_of({[](const TensorView& input, bool,
                                  const TensorView&) { input.set(0, 9); }});
  Tensor input = counting(DType::kFloat32, {3});
  layer->forward({input.view()});
  EXPECT_THAT(values_of(input.view()), ElementsAre(9, 2, 3));
}

TEST(Guard, TakesScalarsAndEmptyTensors) {
  const auto layer = layer_of({copy_all});
  Tensor scalar(DType::kFloat64, {}, {3});
  EXPECT_THAT(values_of(layer->forward({scalar.view()})), ElementsAre(3));
  Tensor empty(DType::kFloat64, {2, 0});
  EXPECT_EQ(layer->forward({empty.view()}).shape, (Shape{2, 0}));
}

TEST(Guard, SeesAWriteBesideTheInput) {
  const auto layer =
      layer_of({[](const TensorView& input, bool, const TensorView&) {
        static_cast<float*>(input.data)[input.size()] = 1;
      }});
  Tensor input = counting(DType::kFloat32, {3});
  EXPECT_THAT([&] { layer->forward({input.view()}); },
              ThrowsMessage<MemoryViolation>(
                  HasSubstr("4 bytes past the end of its input")));
}

TEST(Guard, SeesAWriteToAnEarlierInput) {
  TensorView kept;
  const auto layer =
      layer_of({[&](const TensorView& input, bool, const TensorView&) {
        if (kept.shape.empty()) kept = input;
        kept.set(0, 5);
      }});
  Tensor input = counting(DType::kFloat32, {3});
  layer->forward({input.view()});
  EXPECT_THAT(
      [&] { layer->forward({input.view()}); },
      ThrowsMessage<MemoryViolation>(HasSubstr("input of an earlier call")));
}

TEST(Guard, SeesResultsThatFollowAnEarlierInput) {
  TensorView kept;
  const auto layer = layer_of(
      {[&](const TensorView& input, bool training, const TensorView& output) {
        if (kept.shape.empty()) kept = input;
        copy_all(kept, training, output);
      }});
  Tensor input = counting(DType::kFloat32, {3});
  EXPECT_NO_THROW(layer->forward({input.view()}));
  EXPECT_THAT([&] { layer->forward({input.view()}); },
              ThrowsMessage<MemoryViolation>(HasSubstr("keep a reference")));
}

TEST(Guard, SeesGradientsThatFollowTheInput) {
  TensorView kept;
  const auto layer = layer_of(
      {[&](const TensorView& input, bool, const TensorView&) { kept = input; },
       [&](const TensorView&, bool, const TensorView& result) {
         copy(kept, result);
       }});
  Tensor input = counting(DType::kFloat32, {3});
  layer->forward({input.view()});
  EXPECT_THAT([&] { layer->backward(input.view()); },
              ThrowsMessage<MemoryViolation>(HasSubstr("NaN gradients")));
}

// Neither its inputs nor its own NaN are taken for a kept reference.
/// Copies its input, and may hold the memory of the inputs.
class Holder final : public Layer, public InputHolder {
 public:
  explicit Holder(bool holds) : holds_(holds) {}

  TensorView forward(const Call& call) override {
    inputs.push_back(call.input);
    if (holds_) memory_.push_back(latest_);
    latest_.reset();
    copy(call.input, output_.view());
    return output_.view();
  }

  TensorView backward(const TensorView& grad_output) override {
    return grad_output;
  }

  void reseed(std::uint64_t) override {}

  void hold(std::shared_ptr<const void> memory) override {
    latest_ = std::move(memory);
  }

  std::vector<TensorView> inputs;

 private:
  bool holds_;
  std::shared_ptr<const void> latest_;
  std::vector<std::shared_ptr<const void>> memory_;
  Tensor output_{DType::kFloat32, {3}};
};

/// Calls a holder with 1, 2, 3, then 4, 5, 6, and so on; where its inputs were
/// and what they hold in the end.
std::vector<TensorView> inputs_of_calls(bool holds, int calls,
                                        std::unique_ptr<Layer>& layer) {
  Holder* holder = nullptr;
  const auto make = [&](const LayerConfig&) {
    auto made = std::make_unique<Holder>(holds);
    holder = made.get();
    return made;
  };
  SubjectEntry entry;
  entry.open = [make]() -> std::unique_ptr<Subject> {
    return std::make_unique<InProcessSubject<decltype(make)>>(Description{},
                                                              make);
  };
  layer = guarded(entry, hours(1)).open()->make({});
  Tensor input = counting(DType::kFloat32, {3});
  for (int call = 0; call < calls; ++call) {
    for (int i = 0; i < 3; ++i) input.view().set(i, 3 * call + i + 1);
    layer->forward({input.view()});
  }
  return holder->inputs;
}

TEST(Guard, LeavesInputsAloneThatAreHeld) {
  std::unique_ptr<Layer> layer;
  const auto inputs = inputs_of_calls(true, 4, layer);
  for (int call = 0; call < 4; ++call) {
    EXPECT_THAT(values_of(inputs[static_cast<std::size_t>(call)]),
                ElementsAre(3 * call + 1, 3 * call + 2, 3 * call + 3));
  }
}

TEST(Guard, UsesMemoryAgainThatIsNotHeldAnyMore) {
  std::unique_ptr<Layer> layer;
  const auto inputs = inputs_of_calls(false, 4, layer);
  EXPECT_NE(inputs[1].data, inputs[0].data);
  EXPECT_EQ(inputs[2].data, inputs[0].data);
  EXPECT_EQ(inputs[3].data, inputs[1].data);
}

TEST(Guard, BlamesNoReferenceForANaN) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  Tensor numbers = counting(DType::kFloat32, {3});
  Tensor special(DType::kFloat32, {3}, {1, nan, 3});
  const auto honest = layer_of({copy_all, copy_all});
  EXPECT_NO_THROW(honest->forward({numbers.view()}));
  EXPECT_NO_THROW(honest->forward({special.view()}));
  EXPECT_NO_THROW(honest->backward(special.view()));
  const auto useless =
      layer_of({[nan](const TensorView&, bool, const TensorView& output) {
        output.set(0, nan);
      }});
  EXPECT_NO_THROW(useless->forward({numbers.view()}));
  EXPECT_NO_THROW(useless->forward({numbers.view()}));
}

TEST(Guard, RunsAllCallsOfALayerOnOneThread) {
  std::set<std::thread::id> threads;
  const auto note = [&](const TensorView&, bool, const TensorView&) {
    threads.insert(std::this_thread::get_id());
  };
  const auto layer = layer_of({note, note});
  Tensor input = counting(DType::kFloat32, {3});
  for (int call = 0; call < 3; ++call) layer->forward({input.view()});
  layer->backward(input.view());
  EXPECT_EQ(threads.size(), 1U);
  EXPECT_EQ(threads.count(std::this_thread::get_id()), 0U);
}

TEST(Guard, PassesErrorsOn) {
  const auto layer = layer_of({[](const TensorView&, bool, const TensorView&) {
    throw std::invalid_argument("rank 3 is not mine");
  }});
  Tensor input = counting(DType::kFloat32, {3});
  EXPECT_THAT([&] { layer->forward({input.view()}); },
              ThrowsMessage<LayerError>("rank 3 is not mine"));
}

TEST(Guard, LeavesACallBehindThatDoesNotReturn) {
  const int before = abandoned_calls();
  const auto training_hangs = [](const TensorView& input, bool training,
                                 const TensorView& output) {
    if (training) hang();
    copy(input, output);
  };
  const auto subject = guarded(entry_of({training_hangs}), seconds(2)).open();
  Tensor input = counting(DType::kFloat32, {3});
  const auto layer = subject->make({});
  EXPECT_THAT([&] { layer->forward({input.view()}); },
              ThrowsMessage<SubjectTimeout>(
                  HasSubstr("did not return within 2 s (p=0.5,f32, tr")));
  EXPECT_EQ(abandoned_calls(), before + 1);
  EXPECT_THROW(layer->reseed(1), SubjectTimeout) << "its thread is not back";
  const auto other = subject->make({});
  EXPECT_THAT([&] { other->forward({input.view()}); },
              ThrowsMessage<SubjectTimeout>(HasSubstr("not called")));
  EXPECT_EQ(abandoned_calls(), before + 1) << "the kind is known";
}

TEST(Guard, GivesASubjectUpAfterTwoLostCalls) {
  const auto hangs = [](const TensorView&, bool, const TensorView&) { hang(); };
  const auto subject = guarded(entry_of({hangs}), seconds(2)).open();
  Tensor input = counting(DType::kFloat32, {3});
  for (const double drop : {0.1, 0.3}) {
    const auto layer = subject->make({.drop_probability = drop});
    EXPECT_THAT([&] { layer->forward({input.view()}); },
                ThrowsMessage<SubjectTimeout>(HasSubstr("did not return")));
  }
  EXPECT_THAT([&] { subject->make({.drop_probability = 0.5}); },
              ThrowsMessage<SubjectTimeout>(HasSubstr("not called")));
}

// The exit handler ends the process while the call is still asleep.
TEST(GuardDeathTest, LetsTheProcessEndWithItsStatus) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        const auto hangs = [](const TensorView&, bool, const TensorView&) {
          hang();
        };
        const auto subject = guarded(entry_of({hangs}), seconds(2)).open();
        Tensor input = counting(DType::kFloat32, {3});
        try {
          subject->make({})->forward({input.view()});
        } catch (const SubjectTimeout&) {
          std::exit(3);
        }
      },
      ::testing::ExitedWithCode(3), "");
}

}  // namespace
}  // namespace dropcheck::impl
