// Recorded results: wrong ones are refuted, right ones never, and nothing is
// claimed that a few masks cannot show.
#include "dropcheck/properties/recorded.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dropcheck/impl/registry.hpp"

namespace dropcheck::properties {
namespace {

using testing::HasSubstr;

constexpr double kAlpha = 1e-9;

impl::Tensor ramp(impl::Shape shape, impl::DType dtype) {
  impl::Tensor input(dtype, std::move(shape));
  for (std::int64_t i = 0; i < input.size(); ++i) {
    input.view().set(i, 1 + static_cast<double>(i % 32) / 32);
  }
  return input;
}

/// What `entry` returns in `calls` calls on one input, stacked.
Recording record(const impl::SubjectEntry& entry, impl::LayerConfig config,
                 const impl::Shape& shape, std::int64_t calls) {
  config.layer = entry.layer;
  const auto subject = entry.open();
  const auto layer = subject->make(config);
  layer->reseed(12345);
  impl::Tensor input = ramp(shape, config.dtype);
  const impl::TensorView output = layer->forward({input.view(), true, calls});
  impl::Tensor results(output.dtype, output.shape);
  impl::copy(output, results.view());
  return {config, std::move(input), {std::move(results)}};
}

const impl::SubjectEntry& subject(const std::string& name) {
  for (const auto* entries :
       {&impl::builtin_subjects(), &impl::faulty_subjects()}) {
    for (const impl::SubjectEntry& entry : *entries) {
      if (entry.name == name) return entry;
    }
  }
  throw std::invalid_argument(name);
}

impl::LayerConfig drop(double p, impl::DType dtype = impl::DType::kFloat32) {
  impl::LayerConfig config;
  config.drop_probability = p;
  config.dtype = dtype;
  return config;
}

/// A shape that the law takes.
impl::Shape shape_for(const impl::Law& law) {
  for (const impl::Shape& shape :
       {impl::Shape{8, 6, 5, 4}, {8, 30, 4}, {8, 6, 5, 4, 3}}) {
    try {
      impl::require_rank(law, shape);
      return shape;
    } catch (const std::invalid_argument&) {
      continue;
    }
  }
  throw std::invalid_argument(std::string(law.layer));
}

Verdict verdict_of(const RunResult& result, const std::string& check) {
  for (const Finding& finding : result.findings) {
    if (finding.check == check) return finding.verdict;
  }
  return Verdict::kNotRun;
}

// Fixed seeds: the right layers' draws are what they are.
TEST(Recorded, NeverRefutesTheReferenceLayers) {
  for (const impl::SubjectEntry& entry : impl::builtin_subjects()) {
    const impl::Law law = impl::law_of(entry);
    if (law.unit == impl::Unit::kBlock) continue;
    if (law.factor == impl::Factor::kNormal) continue;
    if (law.base == impl::Base::kEvaluation) continue;
    for (const double p : {0.05, 0.1, 0.5, 0.9}) {
      const RunResult result =
          judge_recording(record(entry, drop(p), shape_for(law), 40), kAlpha);
      EXPECT_FALSE(result.alarm) << entry.name;
      EXPECT_EQ(verdict_of(result, "support"), Verdict::kCertified)
          << entry.name << result.findings[0].sentence;
      EXPECT_EQ(verdict_of(result, "drop_rate"), Verdict::kInconclusive)
          << entry.name << " at " << p;
      EXPECT_NE(verdict_of(result, "independence_calls"), Verdict::kRefuted);
      EXPECT_EQ(exit_status(result), 3);
    }
  }
}

TEST(Recorded, ReadsEveryDtype) {
  for (const impl::DType dtype :
       {impl::DType::kFloat64, impl::DType::kFloat16, impl::DType::kBFloat16}) {
    const RunResult result = judge_recording(
        record(subject("builtin:dropout"), drop(0.3, dtype), {100, 20}, 30),
        kAlpha);
    EXPECT_EQ(verdict_of(result, "support"), Verdict::kCertified);
    EXPECT_EQ(result.findings[1].n, 60000U);
  }
}

TEST(Recorded, RefutesAWrongRateAndNamesItsCause) {
  const RunResult result = judge_recording(
      record(subject("faulty:keep_drop_swapped"), drop(0.1), {64, 64}, 4),
      kAlpha);
  EXPECT_EQ(verdict_of(result, "drop_rate"), Verdict::kRefuted);
  EXPECT_TRUE(result.alarm);
  EXPECT_EQ(exit_status(result), 1);
  EXPECT_EQ(result.largest_term, result.findings[1].id);
}

TEST(Recorded, RefutesValuesThatAreNotScaled) {
  const RunResult result = judge_recording(
      record(subject("faulty:no_scale"), drop(0.3), {64, 64}, 2), kAlpha);
  EXPECT_EQ(verdict_of(result, "support"), Verdict::kRefuted);
  EXPECT_THAT(result.findings[0].sentence, HasSubstr("neither the kept"));
}

TEST(Recorded, RefutesChannelsThatAreTorn) {
  const RunResult result = judge_recording(
      record(subject("faulty:channel_as_element"), drop(0.3), {4, 5, 6, 7}, 4),
      kAlpha);
  EXPECT_EQ(verdict_of(result, "support"), Verdict::kRefuted);
  EXPECT_THAT(result.findings[0].sentence, HasSubstr("others of its unit"));
}

TEST(Recorded, RefutesMasksThatReturn) {
  Recording recording =
      record(subject("builtin:dropout"), drop(0.3), {20, 20}, 1);
  recording.outputs.push_back(recording.outputs[0]);
  const RunResult result = judge_recording(recording, kAlpha);
  EXPECT_EQ(verdict_of(result, "independence_calls"), Verdict::kRefuted);
  EXPECT_THAT(result.findings[2].sentence, HasSubstr("1 of 1 pairs"));
}

// Two of a few small masks agree by chance: no claim about them is possible.
TEST(Recorded, RefutesNothingThatChanceExplains) {
  Recording recording = record(subject("builtin:dropout"), drop(0.5), {4}, 1);
  recording.outputs.push_back(recording.outputs[0]);
  const RunResult result = judge_recording(recording, kAlpha);
  EXPECT_EQ(verdict_of(result, "independence_calls"), Verdict::kInconclusive);
  EXPECT_EQ(verdict_of(result, "drop_rate"), Verdict::kInconclusive);
}

// Where the input is 0 a drop cannot be seen: such places say nothing.
TEST(Recorded, CountsNoPlaceWhereADropDoesNotShow) {
  Recording recording{drop(0.5),
                      impl::Tensor(impl::DType::kFloat32, {1000}),
                      {impl::Tensor(impl::DType::kFloat32, {1000})}};
  recording.config.layer = "dropout";
  const RunResult result = judge_recording(recording, kAlpha);
  EXPECT_EQ(result.findings[1].n, 0U);
  EXPECT_EQ(verdict_of(result, "drop_rate"), Verdict::kInconclusive);
}

TEST(Recorded, RefusesWhatCannotBeRead) {
  const Recording right =
      record(subject("builtin:dropout"), drop(0.3), {20, 20}, 2);
  const auto refused = [&](auto change) {
    Recording recording = right;
    change(recording);
    try {
      judge_recording(recording, kAlpha);
    } catch (const std::logic_error& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  EXPECT_THAT(refused([](Recording& r) { r.outputs.clear(); }),
              HasSubstr("no result"));
  EXPECT_THAT(refused([](Recording& r) {
                r.outputs[0] = impl::Tensor(impl::DType::kFloat32, {3, 7});
              }),
              HasSubstr("an output has shape 3x7"));
  EXPECT_THAT(refused([](Recording& r) {
                r.outputs[0] = impl::Tensor(impl::DType::kFloat64, {20, 20});
              }),
              HasSubstr("an output is f64"));
  EXPECT_THAT(refused([](Recording& r) {
                r.input.view().set(3, std::numeric_limits<double>::infinity());
              }),
              HasSubstr("element 3 of the input is inf"));
  EXPECT_THAT(refused([](Recording& r) { r.config.layer = "drop_block2d"; }),
              HasSubstr("drop_block2d cannot be read"));
  EXPECT_THAT(refused([](Recording& r) { r.config.layer = "vit_encoder"; }),
              HasSubstr("vit_encoder cannot be read"));
  EXPECT_THAT(refused([](Recording& r) { r.config.layer = "dropuot"; }),
              HasSubstr("no law"));
  EXPECT_THAT(refused([](Recording& r) { r.config.drop_probability = 1; }),
              HasSubstr("drop probability is 1"));
  EXPECT_THROW(judge_recording(right, 0.5), std::domain_error);
}

}  // namespace
}  // namespace dropcheck::properties
