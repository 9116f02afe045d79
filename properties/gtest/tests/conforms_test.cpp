// EXPECT_CONFORMS on right layers, and on layers that do whatever they like:
// each is a failure with a sentence and never the end of the program.
//
// Right layers fail with probability at most 1e-9 by this whole program.
#include "dropcheck/gtest/conforms.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest-spi.h>

#include <chrono>
#include <limits>
#include <thread>

#include "toy_layers.hpp"

namespace dropcheck::gtest {
namespace {

using impl::Tensor;
using impl::TensorView;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::ToyDropout;

/// At one probability: as short as it gets.
Contract half(std::vector<std::string> only = {}) {
  return {.drop_probabilities = {0.5}, .only = std::move(only)};
}

template <class Given>
std::string failure_of(const Given& given, const Contract& contract) {
  const auto result = Conforms()("", "", given, contract);
  return result ? "no failure" : result.message();
}

TEST(ExpectConforms, TakesAFunctionOfTheProbability) {
  EXPECT_CONFORMS([](double drop) { return ToyDropout(drop); },
                  {.layer = "dropout", .drop_probabilities = {0.1, 0.5}});
}

TEST(ExpectConforms, TakesAFunctionOfTheConfiguration) {
  EXPECT_CONFORMS(
      [](const impl::LayerConfig& config) {
        return ToyDropout(config.drop_probability);
      },
      {.drop_probabilities = {0.5},
       .dtypes = {impl::DType::kFloat64},
       .variants = {{.in_place = true}}});
}

TEST(ExpectConforms, TakesALayer) {
  const ToyDropout layer(0.5);
  ASSERT_CONFORMS(layer, half());
}

TEST(ExpectConforms, TakesANameAlone) {
  EXPECT_CONFORMS(impl::factory_of<ToyDropout>(), "dropout");
}

TEST(ExpectConforms, TakesAnEntryOfAnotherDoor) {
  EXPECT_CONFORMS(impl::builtin_subjects().front(), half({"drop_rate"}));
}

// Nothing that a layer lacks is held against it.
TEST(ExpectConforms, TakesALayerThatOffersForwardOnly) {
  class Bare {
   public:
    explicit Bare(double drop) : toy_(drop) { toy_.reseed(++count()); }
    Tensor forward(const TensorView& input, bool training) {
      Tensor result(input.dtype, input.shape);
      toy_.forward(input, training, result.view());
      return result;
    }

   private:
    static std::uint64_t& count() {
      static std::uint64_t made = 0;
      return made;
    }
    ToyDropout toy_;
  };
  EXPECT_CONFORMS(impl::factory_of<Bare>(), half());
}

TEST(ExpectConforms, FailsWithSentenceNumbersAndReplay) {
  const auto wrong = [](double drop) { return ToyDropout(drop, drop / 2); };
  EXPECT_THAT(
      failure_of(wrong, half()),
      AllOf(HasSubstr("ToyDropout does not conform to dropout: "),
            HasSubstr("drop rate is 0.2"), HasSubstr("DROPCHECK_REPLAY=dc1,"),
            HasSubstr("--gtest_filter=ExpectConforms.FailsWith"),
            HasSubstr("refuted dropout.drop_rate[p=0.5,f32,")));
}

TEST(ExpectConforms, IsNotFatalAndAssertConformsIs) {
  static const auto wrong = [](double) { return ToyDropout(0.5, 0.1); };
  EXPECT_NONFATAL_FAILURE(EXPECT_CONFORMS(wrong, half({"drop_rate"})),
                          "does not conform");
  EXPECT_FATAL_FAILURE(ASSERT_CONFORMS(wrong, half({"drop_rate"})),
                       "does not conform");
}

// At 1e-9 nothing drops: smoke cannot tell this layer from one that never
// drops, and says so.
TEST(ExpectConforms, FailsWhereNothingIsDecided) {
  EXPECT_THAT(failure_of(impl::factory_of<ToyDropout>(),
                         {.drop_probabilities = {1e-9}, .only = {"seeding"}}),
              HasSubstr("is neither proved to conform to dropout nor to"));
}

TEST(ExpectConforms, FailsForAContractThatCannotBe) {
  const auto right = impl::factory_of<ToyDropout>();
  EXPECT_THAT(failure_of(right, contract("dropuot")), HasSubstr("'dropuot'"));
  EXPECT_THAT(failure_of(right, {.drop_probabilities = {-1}}), HasSubstr("-1"));
  EXPECT_THAT(failure_of(ToyDropout(0.5), {}),
              HasSubstr("0 drop probabilities are given"));
  EXPECT_THAT(failure_of(right, half({"no_such_check"})),
              HasSubstr("nothing was verified"));
}

// ---- Whatever a layer does --------------------------------------------------

struct Misdeed {
  std::string name;
  void (*act)(const TensorView& input, const TensorView& output);
  std::string words;
};

void PrintTo(const Misdeed& misdeed, std::ostream* out) {
  *out << misdeed.name;
}

/// Right, but for one thing that it does in training.
class Misbehaving {
 public:
  Misbehaving(double drop, const Misdeed& misdeed)
      : toy_(drop), misdeed_(misdeed) {}
  void forward(const TensorView& input, bool training,
               const TensorView& output) {
    toy_.forward(input, training, output);
    if (training) misdeed_.act(input, output);
  }
  void reseed(std::uint64_t seed) { toy_.reseed(seed); }

 private:
  ToyDropout toy_;
  Misdeed misdeed_;
};

class AnyMisdeed : public ::testing::TestWithParam<Misdeed> {};

TEST_P(AnyMisdeed, IsAFailureWithASentence) {
  const Misdeed& misdeed = GetParam();
  const auto make = [misdeed](double drop) {
    return Misbehaving(drop, misdeed);
  };
  EXPECT_THAT(failure_of(make, half({"support", "drop_rate", "seeding"})),
              HasSubstr(misdeed.words));
}

void store_beside(const TensorView& view, std::int64_t index) {
  static_cast<float*>(view.data)[index] = 1;
}

INSTANTIATE_TEST_SUITE_P(
    Each, AnyMisdeed,
    ::testing::Values(
        Misdeed{"writes_past_its_output",
                [](const TensorView&, const TensorView& output) {
                  store_beside(output, output.size());
                },
                "writes 4 bytes past the end of its output"},
        Misdeed{"writes_before_its_output",
                [](const TensorView&, const TensorView& output) {
                  store_beside(output, -2);
                },
                "writes 8 bytes before the begin of its output"},
        Misdeed{"writes_past_its_input",
                [](const TensorView& input, const TensorView&) {
                  store_beside(input, input.size());
                },
                "writes 4 bytes past the end of its input"},
        Misdeed{"throws",
                [](const TensorView&, const TensorView&) {
                  throw std::runtime_error("out of luck");
                },
                "refuses a valid call: out of luck"},
        Misdeed{"throws_a_number",
                [](const TensorView&, const TensorView&) { throw 42; },
                "an exception that is no std::exception"},
        Misdeed{"returns_nan",
                [](const TensorView&, const TensorView& output) {
                  for (std::int64_t i = 0; i < output.size(); ++i) {
                    output.set(i, std::numeric_limits<double>::quiet_NaN());
                  }
                },
                "nan"}),
    [](const auto& one) { return one.param.name; });

/// Returns another dtype or shape.
struct Converting {
  impl::DType dtype;
  std::int64_t more;
  Tensor forward(const TensorView& input, bool) const {
    impl::Shape shape = input.shape;
    shape.back() += more;
    return Tensor(dtype, shape);
  }
};

TEST(ExpectConforms, FailsForAnotherDtypeOrShape) {
  const Contract support = half({"support"});
  EXPECT_THAT(failure_of(
                  [](double) {
                    return Converting{impl::DType::kFloat64, 0};
                  },
                  support),
              HasSubstr("returns f64 for f32 input"));
  EXPECT_THAT(failure_of(
                  [](double) {
                    return Converting{impl::DType::kFloat32, 1};
                  },
                  support),
              HasSubstr("returns the shape "));
}

/// Reads the memory of the first input ever after.
class Remembering {
 public:
  explicit Remembering(double drop) : toy_(drop) {}
  void forward(const TensorView& input, bool training,
               const TensorView& output) {
    if (first_.shape != input.shape) first_ = input;
    toy_.forward(first_, training, output);
  }
  void reseed(std::uint64_t seed) { toy_.reseed(seed); }

 private:
  ToyDropout toy_;
  TensorView first_;
};

TEST(ExpectConforms, FailsForAReferenceThatIsKept) {
  EXPECT_THAT(failure_of(impl::factory_of<Remembering>(), half({"support"})),
              HasSubstr("seems to keep a reference to its input"));
}

/// The calls sleep; what they use must outlive this process' main.
struct Hanging {
  void forward(const TensorView&, bool, const TensorView&) {
    for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
  }
  void reseed(std::uint64_t) {}
};

TEST(ExpectConforms, FailsForALayerThatNeverReturns) {
  Session session({.seed = 1, .call_timeout_seconds = 2});
  const Contract support = half({"support"});
  const NamedEntry named =
      named_entry([](double) { return Hanging(); }, support, "hanging");
  const Outcome outcome = session.verify({named.entry, support});
  EXPECT_FALSE(conforms(outcome.result));
  EXPECT_THAT(failure_text(outcome.result, {.layer = named.layer}),
              AllOf(HasSubstr("Hanging does not conform"),
                    HasSubstr("did not return within 2 s")));
}

}  // namespace
}  // namespace dropcheck::gtest
