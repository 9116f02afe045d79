// special_values and the options of CONTRACTS.md, section 8: each legitimate
// difference is refuted where nothing is declared, with a sentence that names
// the option, and certified where it is declared.
//
// Wrong here is wrong in every call: no chance is involved, but for the layer
// that cannot be reseeded, whose NaN are never dropped in more than 400
// decisions at 0.1 (probability below 1e-18).
#include "special_values.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "dtype_limits.hpp"
#include "odd_subjects.hpp"
#include "option_words.hpp"
#include "support.hpp"

namespace dropcheck::properties {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::odd_subject;
using testing::Oddity;
using testing::run;
using testing::smoke;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

Finding only(const impl::SubjectEntry& entry, const std::string& check,
             Settings settings = smoke(1)) {
  settings.only = {check};
  return run({entry}, settings).findings.at(0);
}

impl::SubjectEntry declaring(impl::SubjectEntry entry,
                             const impl::LawOptions& options) {
  entry.options = options;
  return entry;
}

/// A layer that works like the right one, and changes its result by a hook.
impl::SubjectEntry changed(
    const std::function<double(double x, double y, bool training)>& change) {
  return odd_subject(
      "odd:changed",
      {.forward = [change](const impl::Call& call, impl::TensorView result,
                           impl::Tensor& room) {
        room = impl::Tensor(result.dtype, result.shape);
        for (std::int64_t i = 0; i < result.size(); ++i) {
          const double x = call.input.value(i % call.input.size());
          room.view().set(i, change(x, result.value(i), call.training));
        }
        return room.view();
      }});
}

/// x * (0 or 1/keep), as libtorch computes it. The right layer's result shows
/// the mask: +0 where x was dropped, or is +0.
impl::SubjectEntry multiplying() {
  return changed([](double x, double y, bool training) {
    const bool dropped = training && y == 0 && !std::signbit(y);
    return dropped ? 0 * x : y;
  });
}

TEST(SpecialValue, KindsAreToldApartInEveryDtype) {
  for (const auto dtype : {impl::DType::kFloat64, impl::DType::kFloat32,
                           impl::DType::kFloat16, impl::DType::kBFloat16}) {
    EXPECT_EQ(impl::rounded(largest(dtype), dtype), largest(dtype));
    EXPECT_EQ(impl::rounded(smallest_subnormal(dtype), dtype),
              smallest_subnormal(dtype));
    EXPECT_EQ(kind_of(smallest_normal(dtype), dtype), Special::kOrdinary);
    EXPECT_EQ(kind_of(-smallest_subnormal(dtype), dtype),
              Special::kNegativeSubnormal);
    EXPECT_EQ(kind_of(largest(dtype), dtype), Special::kLarge);
    EXPECT_EQ(kind_of(-0.0, dtype), Special::kNegativeZero);
    EXPECT_EQ(kind_of(-kNaN, dtype), Special::kNaN);
    EXPECT_EQ(kind_of(-kInfinity, dtype), Special::kNegativeInfinity);
  }
}

TEST(SpecialValue, EachKindComesToEachElementInTwentyFourRounds) {
  std::vector<std::uint32_t> seen(5, 0);
  std::uint32_t all = 0;
  for (std::uint64_t round = 0; round < 24; ++round) {
    impl::Tensor input(impl::DType::kFloat16, {5}, {1, 2, 3, 4, 5});
    put_specials(input, false, 2, 7, round);
    for (std::int64_t i = 0; i < 5; ++i) {
      const auto kind = kind_of(input.view().value(i), input.dtype());
      seen[static_cast<std::size_t>(i)] |= 1U << static_cast<unsigned>(kind);
    }
  }
  for (std::size_t k = 0; k < kSpecials; ++k) all |= 1U << k;
  for (const std::uint32_t kinds : seen) EXPECT_EQ(kinds, all);
}

struct Judged {
  double x;
  double y;
  Wrong wrong;
};

TEST(SpecialValue, KeptOnesFollowIeeeArithmetic) {
  const Answering twice{.dtype = impl::DType::kFloat32, .slope = 2};
  const double most = largest(impl::DType::kFloat32);
  const double tiny = 0.75 * smallest_normal(impl::DType::kFloat32);
  for (const Judged& judged : {Judged{kNaN, -kNaN, Wrong::kNothing},
                               {kNaN, 0, Wrong::kNaNLost},
                               {kInfinity, kInfinity, Wrong::kNothing},
                               {-kInfinity, -most, Wrong::kInfinityLost},
                               {-kInfinity, kInfinity, Wrong::kInfinityLost},
                               {-0.0, -0.0, Wrong::kNothing},
                               {-0.0, 0.0, Wrong::kZeroSignLost},
                               {0.0, kNaN, Wrong::kZeroLost},
                               {most, kInfinity, Wrong::kNothing},
                               {most, most, Wrong::kSaturated},
                               {-most, kInfinity, Wrong::kOverflowed},
                               {0.375 * most, 0.75 * most, Wrong::kNothing},
                               {0.375 * most, kInfinity, Wrong::kOverflowed},
                               {tiny / 4, tiny / 2, Wrong::kNothing},
                               {tiny / 4, 0, Wrong::kFlushed},
                               {tiny, 0, Wrong::kKeptWrong}}) {
    EXPECT_EQ(judge_kept(twice, judged.x, judged.y), judged.wrong)
        << judged.x << " becomes " << judged.y;
  }
}

TEST(SpecialValue, DroppedOnesFollowTheOptions) {
  const Answering answering{.dtype = impl::DType::kFloat32, .slope = 2};
  const impl::LawOptions strict;
  impl::LawOptions multiplied;
  multiplied.dropped_nonfinite = impl::DroppedNonFinite::kNaN;
  multiplied.dropped_zero = impl::DroppedZero::kSigned;
  const auto by = [&](const impl::LawOptions& options, double x, double y) {
    return judge_dropped(answering, options, x, y);
  };
  EXPECT_EQ(by(strict, kInfinity, 0), Wrong::kNothing);
  EXPECT_EQ(by(strict, kInfinity, kNaN), Wrong::kDroppedNaN);
  EXPECT_EQ(by(multiplied, kInfinity, kNaN), Wrong::kNothing);
  EXPECT_EQ(by(multiplied, kNaN, 0), Wrong::kDroppedNotNaN);
  EXPECT_EQ(by(strict, -1, -0.0), Wrong::kDroppedSign);
  EXPECT_EQ(by(multiplied, -1, -0.0), Wrong::kNothing);
  EXPECT_EQ(by(multiplied, -1, 0.0), Wrong::kDroppedSignMissing);
  EXPECT_EQ(by(strict, -1, 0.0), Wrong::kNothing);
  EXPECT_EQ(by(strict, 1, 2), Wrong::kDroppedWrong);
  EXPECT_EQ(by(strict, 1, kNaN), Wrong::kDroppedWrong);
  // Where an offset is added that cancels, no product gives the sign.
  const Answering affine{
      .dtype = impl::DType::kBFloat16, .slope = 16, .offset = 27.5};
  EXPECT_EQ(judge_dropped(affine, multiplied, -1, 0.0), Wrong::kNothing);
}

// Both ends of the promise; oracle_test.cpp has the others.
TEST(SpecialValues, CertifiesEveryReferenceLayer) {
  for (const auto& [drop, dtype] : {std::pair{0.05, impl::DType::kFloat32},
                                    {0.9, impl::DType::kBFloat16}}) {
    Settings settings = smoke(3, drop);
    settings.dtypes = {dtype};
    settings.only = {"special_values"};
    for (const Finding& f : run(impl::builtin_subjects(), settings).findings) {
      EXPECT_EQ(f.verdict, Verdict::kCertified) << f.id << ": " << f.sentence;
    }
  }
}

TEST(SpecialValues, NamesTheCause) {
  for (const auto& [name, cause] :
       {std::pair{"faulty:nan_counted_as_dropped", "a kept NaN is lost"},
        {"faulty:infinity_clipped", "a kept infinity is lost"},
        {"faulty:subnormals_flushed", "subnormal numbers are flushed"},
        {"faulty:negative_zero_lost", "a kept zero loses its sign"},
        {"faulty:nan_contaminates_row", "special values contaminate others"},
        {"faulty:nan_leaks_when_dropped",
         "correct if the subject declares option `dropped_nonfinite = nan`"},
        {"faulty:dropped_zero_signed",
         "correct if the subject declares option `dropped_zero = signed`"}}) {
    const Finding finding = only(testing::subject(name), "special_values");
    EXPECT_EQ(finding.verdict, Verdict::kRefuted) << name;
    EXPECT_THAT(finding.sentence, HasSubstr(cause)) << name;
  }
}

// No option makes up for a NaN that is lost.
TEST(SpecialValues, NamesNoOptionWhereNoneHelps) {
  const Finding finding =
      only(changed([](double x, double y, bool training) {
             if (std::isnan(x)) return training ? 1.0 : x;
             return training && y == 0 ? std::copysign(0.0, x) : y;
           }),
           "special_values");
  EXPECT_EQ(finding.verdict, Verdict::kRefuted);
  EXPECT_THAT(finding.sentence, Not(HasSubstr("correct if")));
}

TEST(SpecialValues, SaysThatOneMaskLooksAtTheValues) {
  // Every infinity moves the mask by one.
  const Finding finding =
      only(odd_subject("odd:skips",
                       {.forward =
                            [](const impl::Call& call, impl::TensorView result,
                               impl::Tensor& room) {
                              room = impl::Tensor(result.dtype, result.shape);
                              std::int64_t shift = 0;
                              for (std::int64_t i = 0; i < result.size(); ++i) {
                                const double x =
                                    call.input.value(i % call.input.size());
                                shift += std::isinf(x) ? 1 : 0;
                                const auto from = (i + shift) % result.size();
                                const bool dropped =
                                    call.training && result.value(from) == 0;
                                room.view().set(i, dropped         ? 0
                                                   : call.training ? x / 0.9
                                                                   : x);
                              }
                              return room.view();
                            }}),
           "special_values");
  EXPECT_EQ(finding.verdict, Verdict::kRefuted);
  EXPECT_THAT(finding.sentence, HasSubstr("change the mask of others"));
}

TEST(SpecialValues, IsLeftOpenWhereASeedRepeatsNothing) {
  const Finding finding =
      only(testing::subject("faulty:seed_ignored"), "special_values");
  EXPECT_EQ(finding.verdict, Verdict::kInconclusive);
  EXPECT_THAT(finding.sentence, HasSubstr("see seeding"));
}

void cannot_be_reseeded(impl::Description& description) {
  description.reseed = false;
}

TEST(SpecialValues, DecidesWithoutReseeding) {
  for (const char* base :
       {"builtin:dropout", "builtin:dropout2d", "builtin:stochastic_depth",
        "builtin:alpha_dropout", "builtin:gaussian_dropout",
        "builtin:drop_block2d"}) {
    const Finding right = only(
        odd_subject("odd:unseeded", {.describe = cannot_be_reseeded}, base),
        "special_values");
    EXPECT_EQ(right.verdict, Verdict::kCertified)
        << base << ": " << right.sentence;
  }
  for (const char* base :
       {"faulty:nan_counted_as_dropped", "faulty:nan_leaks_when_dropped",
        "faulty:infinity_clipped", "faulty:nan_contaminates_row"}) {
    const Finding wrong = only(
        odd_subject("odd:unseeded", {.describe = cannot_be_reseeded}, base),
        "special_values");
    EXPECT_EQ(wrong.verdict, Verdict::kRefuted)
        << base << ": " << wrong.sentence;
  }
}

// ---- Options -------------------------------------------------------------

TEST(Options, AreNamedAtTheEndOfASentence) {
  EXPECT_EQ(needs_option({}), "");
  EXPECT_EQ(needs_option({"", ""}), "");
  EXPECT_EQ(needs_option({"a = b", "", "c = d"}),
            "; correct if the subject declares option `a = b` and `c = d`");
}

TEST(Options, AProductWithZeroMustBeDeclared) {
  const Finding strict = only(multiplying(), "special_values");
  EXPECT_EQ(strict.verdict, Verdict::kRefuted);
  EXPECT_THAT(strict.sentence,
              HasSubstr("declares option `dropped_nonfinite = nan` and "
                        "`dropped_zero = signed`"));
  const Finding declared =
      only(declaring(multiplying(),
                     {.dropped_nonfinite = impl::DroppedNonFinite::kNaN,
                      .dropped_zero = impl::DroppedZero::kSigned}),
           "special_values");
  EXPECT_EQ(declared.verdict, Verdict::kCertified) << declared.sentence;
  EXPECT_THAT(declared.sentence, HasSubstr("as declared"));
}

TEST(Options, WhatIsDeclaredMustBeTrue) {
  const Finding finding =
      only(declaring(testing::subject("builtin:dropout"),
                     {.dropped_nonfinite = impl::DroppedNonFinite::kNaN,
                      .dropped_zero = impl::DroppedZero::kSigned}),
           "special_values");
  EXPECT_EQ(finding.verdict, Verdict::kRefuted);
  EXPECT_THAT(finding.sentence,
              HasSubstr("declares option `dropped_nonfinite = fill` and "
                        "`dropped_zero = positive`"));
}

TEST(Options, AnErrorAtOneMustBeDeclared) {
  const impl::SubjectEntry entry =
      odd_subject("odd:refuses_one", {.make = [](const impl::LayerConfig& c) {
                    if (c.drop_probability == 1) {
                      throw impl::LayerError("rate must be below 1");
                    }
                  }});
  const Finding strict = only(entry, "edge_probabilities");
  EXPECT_EQ(strict.verdict, Verdict::kRefuted);
  EXPECT_THAT(strict.sentence,
              HasSubstr("correct if the subject declares option "
                        "`at_one = error`"));
  for (const impl::AtOne at_one : {impl::AtOne::kError, impl::AtOne::kEither}) {
    EXPECT_EQ(only(declaring(entry, {.at_one = at_one}), "edge_probabilities")
                  .verdict,
              Verdict::kCertified);
  }
  const Finding zeros = only(declaring(testing::subject("builtin:dropout"),
                                       {.at_one = impl::AtOne::kError}),
                             "edge_probabilities");
  EXPECT_EQ(zeros.verdict, Verdict::kRefuted);
  EXPECT_THAT(zeros.sentence, HasSubstr("`at_one = zeros`"));
}

// 1 - 2^-53 is 1 in f32, and 1 - 2^-24 is not.
TEST(Options, AnErrorAtOneMayComeFromRoundingToOne) {
  const auto verdict_of = [](double least, impl::AtOne at_one) {
    const auto entry = odd_subject(
        "odd:refuses_above", {.make = [least](const impl::LayerConfig& c) {
          if (c.drop_probability >= least) throw impl::LayerError("too large");
        }});
    return only(declaring(entry, {.at_one = at_one}), "edge_probabilities")
        .verdict;
  };
  const double rounds_to_one = 1 - std::ldexp(1.0, -26);
  EXPECT_EQ(verdict_of(rounds_to_one, impl::AtOne::kError),
            Verdict::kCertified);
  EXPECT_EQ(verdict_of(rounds_to_one, impl::AtOne::kFormula),
            Verdict::kRefuted);
  EXPECT_EQ(verdict_of(0.999, impl::AtOne::kError), Verdict::kRefuted);
}

TEST(Options, ARateThatIsNotCheckedMustBeDeclared) {
  const impl::SubjectEntry& entry =
      testing::subject("faulty:accepts_p_above_1");
  const Finding strict = only(entry, "edge_probabilities");
  EXPECT_EQ(strict.verdict, Verdict::kRefuted);
  EXPECT_THAT(strict.sentence, HasSubstr("`beyond_ends = accepted`"));
  const Finding declared =
      only(declaring(entry, {.beyond_ends = impl::BeyondEnds::kAccepted}),
           "edge_probabilities");
  EXPECT_EQ(declared.verdict, Verdict::kCertified) << declared.sentence;
}

TEST(Options, TheInputItselfAtEvaluationMustBeDeclared) {
  const impl::SubjectEntry entry = odd_subject(
      "odd:alias", {.forward = [](const impl::Call& call,
                                  impl::TensorView result, impl::Tensor&) {
        return call.training ? result : call.input;
      }});
  const Finding strict = only(entry, "in_place");
  EXPECT_EQ(strict.verdict, Verdict::kRefuted);
  EXPECT_THAT(strict.sentence, HasSubstr("`evaluation_return = alias`"));
  const impl::LawOptions alias{.evaluation_return =
                                   impl::EvaluationReturn::kAlias};
  EXPECT_EQ(only(declaring(entry, alias), "in_place").verdict,
            Verdict::kCertified);
  const Finding copy =
      only(declaring(testing::subject("builtin:dropout"), alias), "in_place");
  EXPECT_EQ(copy.verdict, Verdict::kRefuted);
  EXPECT_THAT(copy.sentence, HasSubstr("`evaluation_return = copy`"));
}

TEST(Options, AScaleRoundedToTheDtypeMustBeDeclared) {
  const impl::SubjectEntry& entry =
      testing::subject("faulty:scale_rounded_to_bf16");
  Settings settings = smoke(1);
  settings.dtypes = {impl::DType::kBFloat16};
  const Finding strict = only(entry, "support", settings);
  EXPECT_EQ(strict.verdict, Verdict::kRefuted);
  EXPECT_THAT(strict.sentence, AllOf(HasSubstr("rounded to bf16"),
                                     HasSubstr("`scale_rounding = dtype`")));
  EXPECT_EQ(
      only(declaring(entry, {.scale_rounding = impl::ScaleRounding::kDType}),
           "support", settings)
          .verdict,
      Verdict::kCertified);
  // Nothing is rounded at 1/2.
  settings.drop_probabilities = {0.5};
  EXPECT_EQ(only(entry, "support", settings).verdict, Verdict::kCertified);
}

// In place is offered by a variant; a layer that offers none is not asked.
TEST(Options, InPlaceIsAskedForWhereItIsDeclared) {
  Settings settings = smoke(1);
  settings.only = {"in_place"};
  const auto subject = testing::subject("builtin:dropout");
  auto plain = subject;
  plain.variants.clear();
  EXPECT_EQ(run({plain}, settings).findings.size(), 1u);
  EXPECT_EQ(run({subject}, settings).findings.size(),
            1 + subject.variants.size());
}

}  // namespace
}  // namespace dropcheck::properties
