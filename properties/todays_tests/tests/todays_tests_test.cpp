// Today's tests are re-expressed rightly: each has, for a right layer, the
// false-alarm rate that the project's record of defects states, and its code
// accepts exactly the counts from which that rate is computed.
//
// Two rates of the record are normal approximations, which is shown here; the
// exact ones are larger and smaller by a fifth or so.
#include <gmock/gmock.h>

#include <cmath>
#include <map>

#include "comparison.hpp"
#include "dropcheck/impl/law.hpp"
#include "exact.hpp"
#include "todays_test.hpp"

namespace dropcheck::properties::todays_tests {
namespace {

TodaysTest find(const std::string& name) {
  for (const TodaysTest& test : todays_tests()) {
    if (test.name == name) return test;
  }
  throw std::invalid_argument("no test called " + name);
}

const impl::SubjectEntry& builtin(const std::string& layer) {
  for (const impl::SubjectEntry& entry : impl::builtin_subjects()) {
    if (entry.layer == layer) return entry;
  }
  throw std::invalid_argument("no layer called " + layer);
}

double both_tails(double deviations) {
  return std::erfc(deviations / std::sqrt(2.0));
}

class Stated : public ::testing::TestWithParam<TodaysTest> {};

TEST_P(Stated, FalseAlarmRateIsReproduced) {
  const StatedRate& stated = GetParam().stated;
  const double exact = false_alarm(GetParam());
  switch (stated.kind) {
    case StatedRate::Kind::kExact:
      EXPECT_NEAR(exact, stated.value, 0.1 * stated.value);
      break;
    case StatedRate::Kind::kByNormal:
      // Shown one by one below; the exact rate is of the same size.
      EXPECT_NEAR(exact, stated.value, 0.5 * stated.value);
      break;
    case StatedRate::Kind::kAtMost:
      EXPECT_LE(exact, stated.value);
      break;
    case StatedRate::Kind::kNegligible:
      EXPECT_LT(exact, 1e-9);
      break;
  }
}

std::string test_name(const ::testing::TestParamInfo<TodaysTest>& info) {
  std::string name = info.param.name;
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(Todays, Stated, ::testing::ValuesIn(todays_tests()),
                         test_name);

// The kept count of 12,000 at keep .1 may be off by 180: 5.5 deviations.
TEST(TensorFlow, IsStatedByTheNormalApproximation) {
  const double normal = both_tails(180 / std::sqrt(12000 * 0.1 * 0.9));
  EXPECT_NEAR(normal, 4e-8, 0.1 * 4e-8);
  EXPECT_NEAR(false_alarm(find("TensorFlow Dropout")), 5.5e-8, 1e-9);
}

// The deviation of 1e4 outputs is about normal, with the slope of its square
// root at the right rate: one tail, for 1.088 lies close to the upper end.
TEST(KerasAlpha, IsStatedByTheNormalApproximation) {
  const impl::Affine map =
      impl::affine(*impl::find_law("alpha_dropout"), {.drop_probability = 0.3});
  const double gap = map.kept_slope() + map.kept_offset() - map.dropped_value();
  const double deviation = gap * std::sqrt(0.3 * 0.7);
  const double slope = deviation * (1 - 2 * 0.3) / (2 * 0.3 * 0.7);
  const double error = slope * std::sqrt(0.3 * 0.7 / 1e4);
  const double normal = both_tails((1.1 - deviation) / error) / 2;
  EXPECT_NEAR(normal, 0.006, 0.1 * 0.006);
  EXPECT_NEAR(false_alarm(find("Keras 3 AlphaDropout")), 0.005, 1e-4);
}

// The bound of the record: one p-value a cell, each with its full level.
TEST(Xformers, IsStatedAsABoundOverItsCells) {
  const TodaysTest test = find("xFormers attention dropout");
  double cells = 0;
  double largest = 0;
  for (const Case& situation : test.cases) {
    const auto size = static_cast<double>(impl::element_count(situation.shape));
    cells += size;
    largest = std::max(largest, size * 1000);
  }
  EXPECT_NEAR(-std::expm1(cells * std::log1p(-1e-6)), 0.12, 0.1 * 0.12);
  EXPECT_NEAR(largest, 4e6, 0.1 * 4e6);
  EXPECT_GT(false_alarm(test), 0.05);
}

/// Keeps exactly so many units of all calls together, the first ones.
class Counted final : public impl::Layer {
 public:
  Counted(impl::LayerConfig config, std::uint64_t kept)
      : config_(std::move(config)), kept_(kept) {}

  impl::TensorView forward(const impl::Call& call) override {
    impl::Shape shape = call.input.shape;
    if (call.repeat > 1) shape.insert(shape.begin(), call.repeat);
    output_ = impl::Tensor(impl::DType::kFloat32, shape);
    multiply(call.input, call.training ? call.repeat : 0);
    return output_.view();
  }
  impl::TensorView backward(const impl::TensorView& grad) override {
    multiply(grad, 1);
    return output_.view();
  }
  void reseed(std::uint64_t) override {}

 private:
  /// The output of `calls` training calls, or of evaluation where it is 0.
  void multiply(const impl::TensorView& input, std::int64_t calls) {
    const impl::Law& law = *impl::find_law(config_.layer);
    const impl::Affine map = impl::affine(law, config_);
    const auto unit = impl::unit_of_element(law, config_, input.shape);
    const auto units = static_cast<std::uint64_t>(
        impl::element_count(impl::unit_shape(law, config_, input.shape)));
    const std::int64_t size = input.size();
    for (std::int64_t i = 0; i < output_.size(); ++i) {
      const auto call = static_cast<std::uint64_t>(i / size);
      const double x = input.value(i % size);
      const bool kept =
          call * units + unit[static_cast<std::size_t>(i % size)] < kept_;
      const double trained =
          kept ? map.kept_slope() * x + map.kept_offset() : map.dropped_value();
      output_.view().set(
          i, calls == 0 || config_.drop_probability == 0 ? x : trained);
    }
  }

  impl::LayerConfig config_;
  std::uint64_t kept_;
  impl::Tensor output_;
};

class CountedSubject final : public impl::Subject {
 public:
  explicit CountedSubject(std::uint64_t kept) : kept_(kept) {}
  const impl::Description& describe() const override { return description_; }
  std::unique_ptr<impl::Layer> make(const impl::LayerConfig& config) override {
    return std::make_unique<Counted>(config, kept_);
  }

 private:
  std::uint64_t kept_;
  impl::Description description_;
};

bool passes_with(const TodaysTest& test, const Case& situation,
                 std::uint64_t kept) {
  impl::SubjectEntry entry =
      builtin(situation.layer.empty() ? test.layers.front() : situation.layer);
  entry.guard = false;
  entry.open = [kept] { return std::make_unique<CountedSubject>(kept); };
  Trial trial(entry, 1);
  const bool passes = test.passes(situation, trial);
  EXPECT_TRUE(trial.granted());
  return passes;
}

struct Limits {
  std::string test;
  std::size_t situation;
  std::uint64_t lower;  ///< the fewest kept decisions that pass
  std::uint64_t upper;  ///< the most
};

void PrintTo(const Limits& limits, std::ostream* out) { *out << limits.test; }

/// By hand, from the sample sizes and tolerances of the record.
const std::vector<Limits> kLimits{
    {"PyTorch Dropout", 0, 751, 850},
    {"PyTorch Dropout1d, until May 2026", 0, 76, 85},
    {"Flax Dropout", 4, 49368, 50632},
    {"Keras 3 Dropout", 0, 4900, 5100},
    {"TensorFlow Dropout", 0, 1021, 1379},
    {"mlpack Dropout", 0, 11475, 15000},
    {"ONNX Runtime Dropout", 0, 401, 599},
    {"PyTorch C++ AlphaDropout", 0, 49, 85},
    {"timm DropPath", 0, 0, 99},
    {"tinygrad dropout", 0, 898200, 901800},
};

class Accepted : public ::testing::TestWithParam<Limits> {};

TEST_P(Accepted, CountsAreThoseOfItsTolerance) {
  const TodaysTest test = find(GetParam().test);
  const Case& situation = test.cases[GetParam().situation];
  const auto lower = GetParam().lower;
  const auto upper = GetParam().upper;
  EXPECT_TRUE(passes_with(test, situation, lower)) << lower;
  EXPECT_TRUE(passes_with(test, situation, upper)) << upper;
  if (lower > 0) {
    EXPECT_FALSE(passes_with(test, situation, lower - 1)) << lower - 1;
  }
  const bool all = upper == 15000;  // of mlpack's: no more can be kept
  if (!all) {
    EXPECT_FALSE(passes_with(test, situation, upper + 1)) << upper + 1;
  }
}

INSTANTIATE_TEST_SUITE_P(Todays, Accepted, ::testing::ValuesIn(kLimits));

// Right counts and nothing else: what the record says that they do not see.
TEST(Mlpack, AcceptsALayerThatDropsNothingAtATenth) {
  const TodaysTest test = find("mlpack Dropout");
  ASSERT_EQ(test.cases[0].drop, 0.1);
  EXPECT_TRUE(passes_with(test, test.cases[0], 15000));
}

TEST(KerasSpatial, AcceptsTheIdentity) {
  const TodaysTest test = find("Keras 3 SpatialDropout");
  for (const Case& situation : test.cases) {
    EXPECT_TRUE(passes_with(test, situation, 100));
  }
}

TEST(TryLayer, CountsRunsAndSeesWhatHangs) {
  const TodaysTest test = find("ONNX Runtime Dropout");
  // A false alarm of this test has a probability below 3e-10 in a run.
  const Record record = try_layer(test, builtin("dropout"));
  EXPECT_EQ(record.runs, 11);
  EXPECT_EQ(record.passed, 11);
  EXPECT_EQ(record.granted, 11);
  EXPECT_TRUE(record.let_pass());
}

TEST(TryLayer, RefusesWhatNobodyWouldPass) {
  for (const impl::SubjectEntry& entry : impl::faulty_subjects()) {
    if (entry.name != "faulty:drops_everything") continue;
    for (const TodaysTest& test : todays_tests()) {
      if (!applies(test, entry)) continue;
      EXPECT_FALSE(try_layer(test, entry).let_pass()) << test.name;
    }
  }
}

}  // namespace
}  // namespace dropcheck::properties::todays_tests
