// state: sequences of commands, their words, how they shrink, the model, and
// the faults that only a sequence shows.
//
// The model is tested twice: by the check itself on every reference layer, and
// by RapidCheck's stateful testing, which makes sequences of its own.
#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>
#include <rapidcheck/state.h>

#include <algorithm>
#include <map>

#include "odd_subjects.hpp"
#include "state_commands.hpp"
#include "state_model.hpp"
#include "support.hpp"

namespace dropcheck::properties {

void showValue(const Command& command, std::ostream& out) {
  out << words_of({command}) << " (" << command.instance << ", "
      << command.choice << ")";
}

namespace {

using ::testing::AnyOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::odd_subject;
using testing::run;
using testing::smoke;
using testing::subject;

constexpr Command kTrain{Act::kTrain, 0, 0};
constexpr Command kTrainOther{Act::kTrain, 0, 1};
constexpr Command kEvaluate{Act::kEvaluate, 0, 0};
constexpr Command kBackward{Act::kBackward, 0, 0};
constexpr Command kReseed{Act::kReseed, 0, 0};
constexpr Command kSecond{Act::kTrain, 1, 0};
constexpr Command kClone{Act::kClone, 1, 0};
constexpr Command kCloneBack{Act::kClone, 0, 0};
constexpr Command kThird{Act::kTrain, kOtherProbability, 0};

Finding state_of(const impl::SubjectEntry& entry, std::uint64_t seed = 1) {
  Settings settings = smoke(seed);
  settings.only = {"state"};
  return run({entry}, settings).findings.at(0);
}

TEST(StateCommands, AreNamedBesideWhatCameBefore) {
  EXPECT_EQ(words_of({kTrainOther}), "a training call");
  EXPECT_EQ(words_of({kEvaluate, kTrainOther}),
            "after an evaluation, a training call of another size");
  EXPECT_EQ(words_of({kTrain, kBackward, kReseed, kTrain}),
            "after a training call, then a gradient, then a reseed, "
            "a training call");
  EXPECT_EQ(words_of({kTrain, kSecond, kTrain}),
            "after a training call, then a training call of another instance, "
            "a training call of the instance before");
  EXPECT_EQ(words_of({kTrain, kThird}),
            "after a training call, a training call of an instance with "
            "another drop probability");
}

TEST(StateCommands, TellCloneAndOriginal) {
  EXPECT_EQ(words_of({kTrain, kClone, kSecond}),
            "after a training call, then a clone, a training call of the "
            "clone");
  EXPECT_EQ(words_of({kClone, kTrain, kSecond}),
            "after a clone, then a training call of the original, a training "
            "call of the clone");
  EXPECT_EQ(words_of({kSecond, kCloneBack, kTrain}),
            "after a training call, then a clone, a training call of the "
            "clone");
}

TEST(StateCommands, AGradientNeedsAForwardCallOfItsInstance) {
  EXPECT_TRUE(possible({kTrain, kReseed, kBackward}));
  EXPECT_TRUE(possible({kEvaluate, kBackward}));
  EXPECT_FALSE(possible({kBackward}));
  EXPECT_FALSE(possible({kSecond, kBackward}));
  EXPECT_FALSE(possible({kTrain, kCloneBack, kBackward}));
  EXPECT_TRUE(possible({kTrain, kClone, kBackward}));
}

TEST(StateCommands, EveryTwoCommandsComeBeforeTrainingCalls) {
  const Abilities all{.clone = false};
  const Commands letters = alphabet(all);
  const auto sequences = pair_sequences(all);
  for (const Command& first : letters) {
    for (const Command& second : letters) {
      const Commands pair{first, second, kTrain, kTrainOther};
      EXPECT_EQ(std::count(sequences.begin(), sequences.end(), pair),
                possible(pair) ? 1 : 0);
    }
  }
}

TEST(StateCommands, EveryCommandComesBeforeAndAfterAClone) {
  const auto sequences = clone_sequences({});
  for (const Command& letter : alphabet({.clone = false})) {
    for (const Commands& commands :
         {Commands{letter, kClone, kSecond, kTrain},
          Commands{kTrain, kClone, letter, kSecond}}) {
      EXPECT_EQ(std::count(sequences.begin(), sequences.end(), commands),
                possible(commands) ? 1 : 0);
    }
  }
  EXPECT_TRUE(clone_sequences({.clone = false}).empty());
}

TEST(StateCommands, KeepToWhatASubjectCan) {
  const Abilities few{.reseed = false,
                      .backward = false,
                      .sizes = 1,
                      .instances = 1,
                      .clone = false};
  EXPECT_THAT(alphabet(few), ElementsAre(kTrain, kEvaluate));
  for (const Commands& commands : random_sequences(few, 20, 12, 1)) {
    EXPECT_THAT(commands, Each(AnyOf(kTrain, kEvaluate)));
  }
}

RC_GTEST_PROP(StateCommands, AreTheSameForTheSameKey, (std::uint64_t key)) {
  const auto commands = random_sequences({}, 8, 12, key);
  RC_ASSERT(commands == random_sequences({}, 8, 12, key));
  RC_ASSERT(commands.size() == 8u);
  RC_ASSERT(std::all_of(commands.begin(), commands.end(), possible));
}

// A breach that needs an evaluation somewhere before a training call of the
// second instance shrinks to these two, and simpler ones.
RC_GTEST_PROP(StateCommands, ShrinkToWhatMatters, (std::uint64_t key)) {
  const auto fails = [](const Commands& commands) {
    const auto evaluation =
        std::find_if(commands.begin(), commands.end(),
                     [](const Command& c) { return c.act == Act::kEvaluate; });
    return std::find(evaluation, commands.end(), kSecond) != commands.end();
  };
  for (const Commands& commands : random_sequences({}, 40, 12, key)) {
    if (!fails(commands)) continue;
    RC_ASSERT(shrunk(commands, fails) == (Commands{kEvaluate, kSecond}));
  }
}

TEST(StateModel, AMaskFollowsFromSeedAndTrainingCallsAlone) {
  StateModel model;
  for (const Command& command : {kTrain, kEvaluate, kSecond, kTrainOther}) {
    model.apply(command);
  }
  EXPECT_EQ(model.history(0).sizes, (std::vector<int>{0, 1}));
  EXPECT_EQ(model.history(1).sizes, (std::vector<int>{0}));
  model.apply({Act::kReseed, 0, 1});
  EXPECT_TRUE(model.history(0).sizes.empty());
  EXPECT_EQ(model.history(0).seed, 1);
  // The gradient is still that of the call before the reseed.
  EXPECT_EQ(model.forward(0)->sizes, (std::vector<int>{0, 1}));
  model.apply(kEvaluate);
  EXPECT_FALSE(model.forward(0).has_value());
}

TEST(StateModel, ACloneHasTheHistoryOfItsOriginal) {
  StateModel model;
  for (const Command& command : {kTrain, kClone, kTrainOther, kSecond}) {
    model.apply(command);
  }
  EXPECT_EQ(model.history(1).seed, 0);
  EXPECT_EQ(model.history(1).sizes, (std::vector<int>{0, 0}));
  EXPECT_EQ(model.history(0).sizes, (std::vector<int>{0, 1}));
  model.apply(kCloneBack);
  EXPECT_EQ(model.history(0), model.history(1));
  EXPECT_FALSE(model.forward(0).has_value());
}

// ---- The model against reference layers, by RapidCheck -------------------

/// Instances of one layer, and all masks that a history ever gave.
struct System {
  std::unique_ptr<impl::Subject> subject;
  std::map<int, std::unique_ptr<impl::Layer>> layers;
  std::map<History, impl::Tensor> masks;

  impl::Layer& layer(int index) {
    auto& layer = layers[index];
    if (!layer) {
      layer = subject->make({.drop_probability = rate(index)});
      layer->reseed(index == 1 ? 101 : 100);
    }
    return *layer;
  }
  static double rate(int index) {
    return index == kOtherProbability ? 0.6 : 0.3;
  }
};

impl::Tensor input_of(const Command& command) {
  const std::int64_t size = command.choice == 0 ? 96 : 131;
  return {impl::DType::kFloat32,
          {size},
          std::vector<double>(static_cast<std::size_t>(size), 1.5)};
}

struct Step : rc::state::Command<StateModel, System> {
  properties::Command command;

  Step() : command(*rc::gen::elementOf(alphabet({.backward = false}))) {}
  void apply(StateModel& model) const override { model.apply(command); }
  void run(const StateModel& before, System& system) const override {
    if (command.act == Act::kClone) {
      auto copy = system.layer(source_of(command)).clone();
      system.layers[command.instance] = std::move(copy);
      return;
    }
    impl::Layer& layer = system.layer(command.instance);
    if (command.act == Act::kReseed) {
      return layer.reseed(100 + static_cast<std::uint64_t>(command.choice));
    }
    StateModel model = before;
    model.apply(command);
    impl::Tensor input = input_of(command);
    const bool training = command.act == Act::kTrain;
    const impl::TensorView view = layer.forward({input.view(), training, 1});
    impl::Tensor result(view.dtype, view.shape);
    impl::copy(view, result.view());
    const impl::Tensor due =
        training
            ? system.masks.try_emplace(model.history(command.instance), result)
                  .first->second
            : input;
    for (std::int64_t i = 0; i < result.size(); ++i) {
      RC_ASSERT(result.view().value(i) == due.view().value(i));
    }
  }
  void show(std::ostream& out) const override { showValue(command, out); }
};

RC_GTEST_PROP(StateModel, HoldsOfTheReferenceLayer, ()) {
  const StateModel model;
  System system;
  system.subject = subject("builtin:dropout").open();
  rc::state::check(model, system, rc::state::gen::execOneOfWithArgs<Step>());
}

// ---- The check -----------------------------------------------------------

TEST(State, CertifiesEveryReferenceLayer) {
  for (const double drop : {0.05, 0.9}) {
    Settings settings = smoke(3, drop);
    settings.only = {"state"};
    for (const Finding& f : run(impl::builtin_subjects(), settings).findings) {
      EXPECT_EQ(f.verdict, Verdict::kCertified) << f.id << ": " << f.sentence;
    }
  }
}

TEST(State, NamesTheSmallestSequence) {
  for (const auto& [name, sentence] :
       {std::pair{"faulty:sticky_eval_after_resize",
                  "after an evaluation, then a training call, a training call "
                  "of another size drops nothing"},
        {"faulty:sticky_eval",
         "after an evaluation, a training call drops nothing"},
        {"faulty:resize_starts_again",
         "after a training call, then a training call of another size, a "
         "training call of another size returns an earlier mask again"},
        {"faulty:reseed_keeps_buffer",
         "after a training call, then a reseed, a training call gives another "
         "mask than the same training calls alone, after the same seed"},
        {"faulty:shared_generator",
         "after a training call, then a training call of another instance, a "
         "training call of the instance before"},
        {"faulty:backward_draws",
         "after a training call, then a gradient, a training call gives "
         "another mask"},
        {"faulty:evaluation_draws",
         "after an evaluation, a training call gives another mask"},
        {"faulty:clone_starts_again",
         "after a training call, then a clone, a training call of the clone "
         "returns an earlier mask again"},
        {"faulty:clone_shares_generator",
         "after a clone, then a training call of the clone, a training call "
         "of the original gives another mask"},
        {"faulty:clone_keeps_evaluation",
         "after an evaluation, then a clone, a training call of the clone "
         "drops nothing"},
        {"faulty:active_at_eval", "an evaluation is not the identity"},
        {"faulty:same_mask_every_call",
         "after a training call, a training call returns an earlier mask "
         "again"}}) {
    const Finding finding = state_of(subject(name));
    EXPECT_EQ(finding.verdict, Verdict::kRefuted) << name;
    EXPECT_THAT(finding.sentence, HasSubstr(sentence)) << name;
  }
}

TEST(State, ShrinksToTheSameSequenceWithTheSameSeed) {
  const impl::SubjectEntry& entry = subject("faulty:reseed_keeps_buffer");
  EXPECT_EQ(state_of(entry, 5).sentence, state_of(entry, 5).sentence);
}

// A result must outlive the calls of other instances.
TEST(State, RefutesResultsInSharedMemory) {
  const auto shared = std::make_shared<impl::Tensor>();
  const Finding finding = state_of(
      odd_subject("odd:shared",
                  {.forward = [shared](const impl::Call&,
                                       impl::TensorView result, impl::Tensor&) {
                    if (shared->shape() != result.shape) {
                      *shared = impl::Tensor(result.dtype, result.shape);
                    }
                    impl::copy(result, shared->view());
                    return shared->view();
                  }}));
  EXPECT_EQ(finding.verdict, Verdict::kRefuted);
  EXPECT_THAT(finding.sentence, HasSubstr("changes a result"));
}

TEST(State, ARefusalInASequenceIsABreach) {
  const Finding finding = state_of(odd_subject(
      "odd:refuses", {.forward = [](const impl::Call& call,
                                    impl::TensorView result, impl::Tensor&) {
        if (!call.training && call.input.size() % 64 != 0) {
          throw impl::LayerError("no such size");
        }
        return result;
      }}));
  EXPECT_EQ(finding.verdict, Verdict::kRefuted);
  EXPECT_THAT(finding.sentence, HasSubstr("fails: no such size"));
}

// Without reseeding, masks are compared with each other only.
TEST(State, DecidesWithoutReseeding) {
  const auto unseeded = [](const std::string& base) {
    return odd_subject("odd:unseeded",
                       {.describe =
                            [](impl::Description& description) {
                              description.reseed = false;
                            }},
                       base);
  };
  EXPECT_EQ(state_of(unseeded("builtin:dropout")).verdict, Verdict::kCertified);
  EXPECT_EQ(state_of(unseeded("faulty:evaluation_draws")).verdict,
            Verdict::kCertified);
  for (const char* wrong :
       {"faulty:sticky_eval", "faulty:same_mask_every_call"}) {
    const Finding finding = state_of(unseeded(wrong));
    EXPECT_EQ(finding.verdict, Verdict::kRefuted) << wrong;
    EXPECT_TRUE(finding.log10_e.has_value()) << wrong;
  }
}

TEST(State, SaysWhetherClonesWereTried) {
  EXPECT_THAT(state_of(subject("builtin:dropout")).bound,
              HasSubstr("before and after a clone"));
  const Finding finding = state_of(odd_subject(
      "odd:no_clone",
      {.describe =
           [](impl::Description& description) { description.clone = false; }},
      "faulty:clone_starts_again"));
  EXPECT_EQ(finding.verdict, Verdict::kCertified) << finding.sentence;
  EXPECT_THAT(finding.bound, ::testing::Not(HasSubstr("clone")));
}

// Instances that share a generator, and say so, are tried alone.
TEST(State, TriesOneInstanceWhereTheStateIsShared) {
  const Finding finding =
      state_of(odd_subject("odd:shares",
                           {.describe =
                                [](impl::Description& description) {
                                  description.own_state = false;
                                }},
                           "faulty:shared_generator"));
  EXPECT_EQ(finding.verdict, Verdict::kCertified) << finding.sentence;
  EXPECT_THAT(finding.bound, ::testing::Not(HasSubstr("other instances")));
}

/// A right layer whose randomness all instances share, as PyTorch's do.
class SharingLayer final : public impl::Layer {
 public:
  struct Generator {
    std::uint64_t seed = 0;
    std::uint64_t calls = 0;
  };
  SharingLayer(std::unique_ptr<impl::Layer> layer, Generator& generator)
      : layer_(std::move(layer)), generator_(generator) {}
  impl::TensorView forward(const impl::Call& call) override {
    if (call.training) {
      layer_->reseed(generator_.seed + 0x9E3779B97F4A7C15 * ++generator_.calls);
    }
    return layer_->forward(call);
  }
  impl::TensorView backward(const impl::TensorView& grad) override {
    return layer_->backward(grad);
  }
  void reseed(std::uint64_t seed) override { generator_ = {seed, 0}; }

 private:
  std::unique_ptr<impl::Layer> layer_;
  Generator& generator_;
};

class SharingSubject final : public impl::Subject {
 public:
  explicit SharingSubject(std::unique_ptr<impl::Subject> subject)
      : subject_(std::move(subject)), description_(subject_->describe()) {
    description_.own_state = false;
    description_.clone = false;
  }
  const impl::Description& describe() const override { return description_; }
  std::unique_ptr<impl::Layer> make(const impl::LayerConfig& config) override {
    return std::make_unique<SharingLayer>(subject_->make(config), generator_);
  }

 private:
  std::unique_ptr<impl::Subject> subject_;
  impl::Description description_;
  SharingLayer::Generator generator_;
};

// What is expected comes from an instance that moves the same generator.
TEST(State, LeavesASharedGeneratorWhereItStood) {
  impl::SubjectEntry entry = subject("builtin:dropout");
  entry.open = [open = entry.open] {
    return std::make_unique<SharingSubject>(open());
  };
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const Finding finding = state_of(entry, seed);
    EXPECT_EQ(finding.verdict, Verdict::kCertified) << finding.sentence;
  }
}

}  // namespace
}  // namespace dropcheck::properties
