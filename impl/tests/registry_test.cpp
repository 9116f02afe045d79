#include "dropcheck/impl/registry.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <string>

#include "dropcheck/impl/law.hpp"
#include "support.hpp"

namespace dropcheck::impl {
namespace {

using testing::builtin;
using testing::counting;
using testing::faulty;
using testing::filled;
using testing::shape_for;
using testing::values_of;

/// Fraction of zeros in `calls` calls on ones.
double dropped_fraction(Layer& layer, const Shape& shape, int calls) {
  Tensor ones = filled(DType::kFloat32, shape, 1);
  double zeros = 0;
  double all = 0;
  for (int call = 0; call < calls; ++call) {
    for (const double y : values_of(layer.forward({.input = ones.view()}))) {
      zeros += y == 0 ? 1 : 0;
      all += 1;
    }
  }
  return zeros / all;
}

TEST(BuiltinSubjects, OfferEveryLawAndRunTheirVariants) {
  ASSERT_EQ(builtin_subjects().size(), laws().size());
  for (const SubjectEntry& entry : builtin_subjects()) {
    EXPECT_NE(find_law(entry.layer), nullptr);
    const auto subject = entry.open();
    EXPECT_EQ(subject->describe().name, entry.name);
    for (const LayerConfig& variant : entry.variants) {
      EXPECT_EQ(variant.layer, entry.layer);
      Tensor input = counting(DType::kFloat32, shape_for(entry.layer));
      EXPECT_NO_THROW(subject->make(variant)->forward({input.view()}))
          << entry.name << " " << describe(variant);
    }
  }
}

TEST(BuiltinSubjects, DeclareWhatTheyLack) {
  EXPECT_THROW(builtin({.layer = "drop_path", .in_place = true}), NotSupported);
  EXPECT_THROW(builtin_subjects()[0].open()->make({.layer = "dropout2d"}),
               NotSupported);
}

TEST(Zoo, HasAtLeastTwoEntriesForEveryCheck) {
  std::map<std::string, int> count;
  for (const SubjectEntry& entry : faulty_subjects()) ++count[entry.caught_by];
  EXPECT_GE(count.size(), 16);
  for (const auto& [check, entries] : count) EXPECT_GE(entries, 2) << check;
}

TEST(Zoo, NamesEveryEntryOnceAndExplainsIt) {
  std::set<std::string> names;
  for (const SubjectEntry& entry : faulty_subjects()) {
    EXPECT_TRUE(names.insert(entry.name).second) << entry.name;
    EXPECT_EQ(entry.name.rfind("faulty:", 0), 0U) << entry.name;
    EXPECT_NE(find_law(entry.layer), nullptr) << entry.name;
    EXPECT_FALSE(entry.summary.empty()) << entry.name;
    EXPECT_FALSE(entry.defect.empty()) << entry.name;
  }
  EXPECT_GE(names.size(), 30U);
}

/// Layers that do not come back from a call in the ordinary way.
bool leaves_its_call(const std::string& name) {
  return name == "faulty:never_returns" || name.starts_with("faulty:writes_");
}

// A wrong layer must be wrong, not broken: it runs on every kind of input.
TEST(Zoo, RunsForwardAndBackward) {
  for (const SubjectEntry& entry : faulty_subjects()) {
    if (leaves_its_call(entry.name)) continue;
    auto configs = entry.variants;
    configs.push_back({.layer = entry.layer});
    for (LayerConfig config : configs) {
      for (const double drop : {0.0, .1, 1.0}) {
        const AtOne at_one = find_law(config.layer)->options.at_one;
        if (drop == 1 && at_one == AtOne::kError) continue;
        config.drop_probability = drop;
        Tensor input = counting(config.dtype, shape_for(config.layer));
        const auto layer = entry.open()->make(config);
        layer->reseed(1);
        layer->forward({.input = input.view(), .repeat = 3});
        layer->forward({.input = input.view(), .training = false});
        layer->forward({.input = input.view()});
        const Tensor gradient = counting(
            config.dtype,
            output_shape(*find_law(config.layer), config, input.shape()));
        EXPECT_EQ(layer->backward(gradient.view()).shape, input.shape())
            << entry.name;
      }
    }
  }
}

// 300 calls of 1024 decisions: the standard error of the rate is 0.0005, and
// these defects are at least ten of them. The seeds are fixed.
TEST(Zoo, DropsAtTheRatesOfItsDefects) {
  const LayerConfig tenth{.drop_probability = .1};
  const auto rate = [&](const char* name) {
    return dropped_fraction(*faulty(name, tenth), {1024}, 300);
  };
  EXPECT_EQ(rate("drops_nothing"), 0);
  EXPECT_EQ(rate("drops_everything"), 1);
  EXPECT_NEAR(rate("keep_drop_swapped"), .9, .005);
  EXPECT_NEAR(rate("threshold_4bit"), 2.0 / 16, .005);
  EXPECT_NEAR(rate("threshold_8bit"), 1 - 230.0 / 256, .005);
  for (const char* name :
       {"lanes_of_4", "tile_repeats", "neighbour_correlation_1e-2",
        "mirrored_pairs", "exact_count", "exact_count_per_call",
        "rate_per_call", "rate_per_warp", "stream_overlap", "few_masks",
        "vector_tail_never_dropped"}) {
    EXPECT_NEAR(rate(name), .1, .03) << name;
  }
}

TEST(Zoo, RepeatsMasksWhereThatIsTheDefect) {
  Tensor input = counting(DType::kFloat32, {64});
  const auto masks = [&](const char* name) {
    const auto y = values_of(faulty(name)->forward({input.view(), true, 16}));
    std::set<std::vector<double>> distinct;
    for (std::size_t call = 0; call < 16; ++call) {
      const auto first = y.begin() + static_cast<std::ptrdiff_t>(64 * call);
      distinct.insert(std::vector<double>(first, first + 64));
    }
    return distinct.size();
  };
  EXPECT_EQ(masks("same_mask_every_call"), 1U);
  EXPECT_EQ(masks("mask_every_second_call_repeated"), 8U);
  EXPECT_EQ(masks("short_period"), 8U);
  EXPECT_EQ(masks("stream_overlap"), 16U);
}

TEST(Zoo, OverlapsSuccessiveCallsByHalf) {
  Tensor ones = filled(DType::kFloat32, {64}, 1);
  const auto y =
      values_of(faulty("stream_overlap")->forward({ones.view(), true, 2}));
  EXPECT_EQ(std::vector<double>(y.begin() + 32, y.begin() + 64),
            std::vector<double>(y.begin() + 64, y.begin() + 96));
}

TEST(Zoo, AcceptsWhatARightLayerRefuses) {
  EXPECT_NO_THROW(faulty("accepts_p_above_1", {.drop_probability = 1.5}));
  EXPECT_NO_THROW(
      faulty("accepts_nan",
             {.drop_probability = std::numeric_limits<double>::quiet_NaN()}));
  EXPECT_THROW(faulty("no_scale", {.drop_probability = 1.5}), LayerError);
}

TEST(Zoo, MistreatsMemoryAndMode) {
  Tensor input = counting(DType::kFloat32, {256});
  const auto before = values_of(input.view());
  faulty("in_place_ignored", {.in_place = true})
      ->forward({.input = input.view()});
  EXPECT_EQ(values_of(input.view()), before);
  faulty("in_place_off_modifies_input")->forward({.input = input.view()});
  EXPECT_NE(values_of(input.view()), before);
  const auto sticky = faulty("sticky_eval");
  EXPECT_GT(dropped_fraction(*sticky, {256}, 1), 0);
  sticky->forward({.input = input.view(), .training = false});
  EXPECT_EQ(dropped_fraction(*sticky, {256}, 1), 0);
}

TEST(Zoo, IgnoresSeedsWhereThatIsTheDefect) {
  Tensor input = counting(DType::kFloat32, {256});
  const auto mask = [&](Layer& layer, std::uint64_t seed) {
    layer.reseed(seed);
    return values_of(layer.forward({.input = input.view()}));
  };
  const auto ignored = faulty("seed_ignored");
  EXPECT_NE(mask(*ignored, 1), mask(*ignored, 1));
  const auto constant = faulty("constant_seed");
  EXPECT_EQ(mask(*constant, 1), mask(*constant, 2));
}

}  // namespace
}  // namespace dropcheck::impl
