// layout, shape and dtype: right layers pass in every dtype and at every rate,
// wrong ones are refuted by a sentence that names the cause. (0.1 is among the
// rates of the test of all checks.)
//
// Nothing here can fail by chance: the checks have no chance events above
// e^-60.
#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "dropcheck/impl/in_process.hpp"
#include "dtype_limits.hpp"
#include "law_reading.hpp"
#include "odd_subjects.hpp"

namespace dropcheck::properties {
namespace {

using impl::DType;
using impl::SubjectEntry;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::Oddity;
using testing::run;
using testing::smoke;
using testing::subject;

const std::vector<std::string> kForms = {"layout", "shape", "dtype"};

Settings forms_at(double drop, std::vector<DType> dtypes = {}) {
  Settings settings = smoke(7, drop);
  settings.dtypes = std::move(dtypes);
  settings.only = kForms;
  return settings;
}

class Forms : public ::testing::TestWithParam<SubjectEntry> {};

TEST_P(Forms, CertifiesRightLayersAtEveryRate) {
  for (const double drop : {0.05, 0.3, 0.5, 0.9}) {
    const RunResult result = run({GetParam()}, forms_at(drop));
    EXPECT_GE(result.findings.size(), 12U);
    for (const Finding& finding : result.findings) {
      EXPECT_EQ(finding.verdict, Verdict::kCertified)
          << finding.id << ": " << finding.sentence;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Builtin, Forms,
                         ::testing::ValuesIn(impl::builtin_subjects()),
                         [](const auto& param) { return param.param.layer; });

/// All refuted findings of a check, one sentence a line.
std::string refutations(const SubjectEntry& entry, const std::string& check,
                        std::vector<DType> dtypes) {
  Settings settings = forms_at(0.1, std::move(dtypes));
  settings.only = {check};
  std::string sentences;
  for (const Finding& finding : run({entry}, settings).findings) {
    if (finding.verdict == Verdict::kRefuted) {
      sentences += finding.sentence + "\n";
    }
  }
  return sentences;
}

std::string refutations(const std::string& name) {
  const SubjectEntry& entry = subject("faulty:" + name);
  return refutations(entry, entry.caught_by, {});
}

TEST(Layout, NamesWhatIsWrong) {
  EXPECT_THAT(refutations("ignores_strides"),
              AllOf(HasSubstr("ignores the strides of a transposed input"),
                    HasSubstr("the order in which they lie in memory")));
  EXPECT_THAT(refutations("swaps_height_and_width"),
              AllOf(HasSubstr("a channels last input"),
                    HasSubstr("axes (0, 1, 3, 2) instead of (0, 1, 2, 3)")));
  EXPECT_THAT(refutations("writes_whole_vectors"),
              HasSubstr("past the end of its output"));
  EXPECT_THAT(refutations("overwrites_gaps"),
              AllOf(HasSubstr("into the gap after element 6 of its input"),
                    HasSubstr("a sliced input")));
}

TEST(Shape, NamesWhatIsWrong) {
  EXPECT_THAT(refutations("fails_on_empty"), HasSubstr("which is empty"));
  EXPECT_THAT(refutations("unbatched_as_batch"),
              HasSubstr("treats an unbatched input of 2x3x4x5 as a batch"));
  EXPECT_THAT(refutations("squeezes_ones"),
              HasSubstr("it drops axes of extent one"));
  EXPECT_THAT(refutations("drops_last_axis"),
              HasSubstr("it drops the last axis"));
  EXPECT_THAT(refutations("accepts_any_rank"),
              HasSubstr("declares option rank_is_checked = false"));
}

TEST(DType, NamesWhatIsWrong) {
  EXPECT_THAT(refutations("f16_becomes_f32"),
              HasSubstr("returns f32 for f16 input"));
  EXPECT_THAT(refutations("bf16_becomes_f32"),
              HasSubstr("declares option dtype_is_kept = false"));
  EXPECT_THAT(refutations("bf16_through_f16"),
              HasSubstr("overflows near the largest values in bf16"));
  EXPECT_THAT(refutations("f16_overflows_within"),
              HasSubstr("overflows near the largest values in f16"));
  EXPECT_THAT(refutations("f64_through_f32"),
              HasSubstr("computes in f32 for f64 input"));
  EXPECT_THAT(refutations("f64_scale_in_f32"),
              HasSubstr("declares option scale_keeps_precision = false"));
  EXPECT_THAT(refutations("flushes_subnormals"),
              HasSubstr("flushes subnormal values to zero"));
}

// The option that the sentence names is the one that helps.
TEST(Forms, HoldsASubjectToTheOptionsThatItDeclares) {
  const auto declared = [](const std::string& name,
                           const impl::LawOptions& options) {
    SubjectEntry entry = subject("faulty:" + name);
    entry.options = options;
    return refutations(entry, entry.caught_by, {});
  };
  EXPECT_EQ(declared("accepts_any_rank", {.rank_is_checked = false}), "");
  EXPECT_EQ(declared("f16_becomes_f32", {.dtype_is_kept = false}), "");
  EXPECT_EQ(declared("f64_scale_in_f32", {.scale_keeps_precision = false}), "");
}

TEST(Layout, TriesNoStridesThatASubjectDoesNotTake) {
  const auto compact = testing::odd_subject(
      "odd:compact",
      {.describe =
           [](impl::Description& description) {
             description.strides = impl::Strides::kCompact;
           },
       .forward =
           [](const impl::Call& call, impl::TensorView result, impl::Tensor&) {
             EXPECT_TRUE(call.input.compact());
             return result;
           }});
  Settings settings = forms_at(0.1);
  settings.only = {"layout"};
  const RunResult result = run({compact}, settings);
  ASSERT_FALSE(result.findings.empty());
  EXPECT_EQ(result.findings.front().verdict, Verdict::kCertified);
  EXPECT_THAT(result.findings.front().bound,
              AllOf(HasSubstr("not supported: transposed, sliced"),
                    HasSubstr("takes compact strides")));
}

// A gradient of another dtype goes unseen by its values.
TEST(DType, SeesAGradientOfAnotherDType) {
  const auto odd = testing::odd_subject(
      "odd:gradient",
      {.backward = [](impl::TensorView result, impl::Tensor& room) {
        return testing::converted(result, room, DType::kFloat32);
      }});
  EXPECT_THAT(refutations(odd, "dtype", {DType::kBFloat16}),
              HasSubstr("its gradient is f32 for bf16 input"));
}

TEST(DTypeLimits, AreThoseOfTheTypes) {
  EXPECT_EQ(largest(DType::kFloat64), std::numeric_limits<double>::max());
  EXPECT_EQ(largest(DType::kFloat32), std::numeric_limits<float>::max());
  EXPECT_EQ(largest(DType::kFloat16), 65504);
  EXPECT_EQ(largest(DType::kBFloat16), 0x1.FEp127);
  EXPECT_EQ(smallest_normal(DType::kFloat32),
            std::numeric_limits<float>::min());
  EXPECT_EQ(smallest_subnormal(DType::kFloat64),
            std::numeric_limits<double>::denorm_min());
  EXPECT_EQ(smallest_subnormal(DType::kFloat32),
            std::numeric_limits<float>::denorm_min());
  EXPECT_EQ(smallest_subnormal(DType::kFloat16), 0x1p-24);
  EXPECT_EQ(smallest_subnormal(DType::kBFloat16), 0x1p-133);
  EXPECT_EQ(step_at(0, DType::kFloat16), 0x1p-24);
  EXPECT_EQ(step_at(1, DType::kFloat16), 0x1p-10);
}

TEST(LawReading, TellsKeptDroppedAndWrongValues) {
  const impl::Law& law = *impl::find_law("dropout2d");
  const impl::LayerConfig config{.layer = "dropout2d"};
  const impl::Tensor base(DType::kFloat32, {1, 2, 2}, {1, 2, 3, 4});
  const auto judged = [&](const std::vector<double>& values) {
    const impl::Tensor result(DType::kFloat32, {1, 2, 2}, values);
    LawReading reading(law, config, base);
    const auto breach = reading.judge(result.view());
    return breach ? breach->element : -1;
  };
  EXPECT_EQ(judged({2, 4, 0, 0}), -1);
  EXPECT_EQ(judged({0, 0, 0, 0}), -1);
  EXPECT_EQ(judged({2, 4, 6, 6}), 3);
  EXPECT_EQ(judged({2, 0, 6, 8}), 1);
  EXPECT_EQ(judged({NAN, 4, 6, 8}), 0);
}

}  // namespace
}  // namespace dropcheck::properties
