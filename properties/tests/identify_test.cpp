// Layers are told from their calls. Every reference layer is identified under
// opaque names, with each of its options, and every wrong layer that shows
// when it is called gets the sentence that tells what is wrong. Seeds are
// fixed: intervals at 1e-9 do not fail by chance, and the structure is wrong
// with probability 1e-11.
#include "dropcheck/properties/identify.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>

#include "identify_support.hpp"

namespace dropcheck::properties {
namespace {

using impl::LayerConfig;
using impl::SubjectEntry;
using ::testing::HasSubstr;
using testing::identify_odd;
using testing::is_named;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::Oddity;
using testing::opaque;
using testing::settings;
using testing::subject;
using testing::told;

class EveryLayer : public ::testing::TestWithParam<SubjectEntry> {};

TEST_P(EveryLayer, IsNamedUnderOpaqueNames) {
  const SubjectEntry& entry = GetParam();
  std::vector<LayerConfig> variants = entry.variants;
  variants.insert(variants.begin(), LayerConfig{});
  for (const LayerConfig& variant : variants) {
    for (const double drop : {0.1, 0.3, 0.5}) {
      const Identification found =
          identify(opaque(entry), settings(drop, variant));
      EXPECT_TRUE(found.identified) << told(found);
      EXPECT_TRUE(found.as_asked) << told(found);
      EXPECT_TRUE(is_named(found, entry.layer)) << told(found);
      if (found.slope) {
        EXPECT_THAT(found.rounding, HasSubstr("bit for bit")) << told(found);
      }
      EXPECT_THAT(found.remarks, IsEmpty());
    }
  }
}

TEST_P(EveryLayer, IsNamedInOtherDtypesAndAtOtherProbabilities) {
  for (const impl::DType dtype :
       {impl::DType::kFloat64, impl::DType::kFloat16, impl::DType::kBFloat16}) {
    const Identification found =
        identify(opaque(GetParam()), settings(0.1, {.dtype = dtype}));
    EXPECT_TRUE(is_named(found, GetParam().layer)) << told(found);
  }
  for (const double drop : {0.01, 0.9}) {
    const Identification found = identify(opaque(GetParam()), settings(drop));
    EXPECT_TRUE(is_named(found, GetParam().layer)) << told(found);
  }
}

INSTANTIATE_TEST_SUITE_P(Identify, EveryLayer,
                         ::testing::ValuesIn(impl::builtin_subjects()),
                         [](const auto& one) { return one.param.layer; });

// Options that were found, where they make a difference.
TEST(Identify, FindsTheOptions) {
  const auto nearest = [](const char* name, const LayerConfig& config) {
    return identify(opaque(subject(name)), settings(0.3, config))
        .nearest.front()
        .config;
  };
  EXPECT_TRUE(
      nearest("builtin:dropout2d", {.channels_last = true}).channels_last);
  EXPECT_FALSE(
      nearest("builtin:drop_path", {.scale_by_keep = false}).scale_by_keep);
  EXPECT_EQ(
      nearest("builtin:broadcast_dropout", {.shared_axes = {0, 2}}).shared_axes,
      (std::vector<int>{0, 2}));
  EXPECT_EQ(nearest("builtin:drop_connect", {.samples = 5}).samples, 5);
}

TEST(Identify, DependsOnTheSeedAndOnNoName) {
  const SubjectEntry& entry = subject("builtin:dropout2d");
  const Identification named = identify(entry, settings(0.1));
  const Identification hidden = identify(opaque(entry), settings(0.1));
  EXPECT_EQ(told(named), told(hidden));
  EXPECT_EQ(named.interval.lower, hidden.interval.lower);
  EXPECT_EQ(named.calls, hidden.calls);
  IdentifySettings other = settings(0.1);
  other.seed = 4;
  EXPECT_NE(named.drop_probability, identify(entry, other).drop_probability);
}

TEST(Identify, TellsTheLawInNumbers) {
  const Identification found =
      identify(subject("builtin:alpha_dropout"), settings(0.1));
  EXPECT_TRUE(found.as_asked);
  EXPECT_LT(found.interval.lower, 0.1);
  EXPECT_GT(found.interval.upper, 0.1);
  EXPECT_LT(found.interval.upper - found.interval.lower, 5e-3);
  // STATISTICS 2.c F3.
  EXPECT_NEAR(*found.slope, 0.92128451614971148, 1e-7);
  EXPECT_NEAR(*found.offset, 0.16197097005757023, 1e-7);
  EXPECT_NEAR(*found.dropped_value, -1.4577387305181321, 1e-6);
  EXPECT_EQ(found.evaluation, EvaluationKind::kIdentity);
  EXPECT_THAT(found.seeding, HasSubstr("other seeds have others"));
}

TEST(Identify, ReadsTheShapeThatItIsGiven) {
  IdentifySettings own = settings(0.1);
  own.shape = impl::Shape{9, 5, 6};
  const Identification found = identify(subject("builtin:dropout2d"), own);
  EXPECT_EQ(found.ranks[*found.rank].input, *own.shape);
  EXPECT_TRUE(is_named(found, "dropout2d")) << told(found);
  own.shape = impl::Shape{9, 5};
  const Identification refused = identify(subject("builtin:dropout2d"), own);
  EXPECT_FALSE(refused.identified);
  EXPECT_THAT(told(refused), HasSubstr("takes rank 3 to 4"));
}

TEST(Identify, RefusesWhatCannotBeAsked) {
  EXPECT_THROW(identify(subject("builtin:dropout"), settings(1.5)),
               std::domain_error);
  IdentifySettings large = settings(0.1);
  large.shape = impl::Shape{1024, 1024};
  EXPECT_THROW(identify(subject("builtin:dropout"), large),
               std::invalid_argument);
}

struct Case {
  const char* subject;
  const char* words;
};

class WrongLayer : public ::testing::TestWithParam<Case> {};

TEST_P(WrongLayer, IsToldInWords) {
  const Identification found =
      identify(opaque(subject(GetParam().subject)), settings(0.1));
  EXPECT_THAT(told(found), HasSubstr(GetParam().words));
}

INSTANTIATE_TEST_SUITE_P(
    Identify, WrongLayer,
    ::testing::Values(
        Case{"faulty:drops_nothing", "drops nothing in 16384 calls"},
        Case{"faulty:drops_everything", "returns 0 everywhere"},
        Case{"faulty:keep_drop_swapped",
             "drops with probability 0.900 (read: "},
        Case{"faulty:threshold_4bit", "drops with probability 0.125"},
        Case{"faulty:no_scale",
             "nearest to dropout, but: kept values are x, where dropout has "
             "1.111111 * x"},
        Case{"faulty:scale_by_p", "kept values are 10 * x"},
        Case{"faulty:alpha_fill_zero",
             "nearest to alpha_dropout, but: dropped values are 0.161971"},
        Case{"faulty:alpha_is_plain_dropout", "this is dropout: nothing"},
        Case{"faulty:noise_added", "adds noise (skewness"},
        Case{"faulty:gaussian_variance_p", "its variance is that of p = 0.091"},
        Case{"faulty:gaussian_uniform", "its noise is not normal"},
        Case{"faulty:gaussian_truncated", "its noise is not normal"},
        Case{"faulty:gaussian_pairs",
             "one decision for all of axis 3, where gaussian_dropout has one "
             "per entry"},
        Case{"faulty:gaussian_active_at_eval", "at evaluation: random too"},
        Case{"faulty:block_gamma_without_border",
             "this is drop_block2d (blocks of 3, gamma without the border)"},
        Case{"faulty:block_drop_for_gamma", "where drop_block2d has 0.01429"},
        Case{"faulty:block_height_width_swapped",
             "positions have another rate than centres drawn everywhere"},
        Case{"faulty:block_centres_anywhere", "centres anywhere on the map"},
        Case{"faulty:block_one_larger", "drops blocks of 4x4"},
        Case{"faulty:block_flat", "blocks reach along axes 3 and 4, where"},
        Case{"faulty:block_shared_by_channels", "one mask for all channels"},
        Case{"faulty:block_last_centre_missing", "is due"},
        Case{"faulty:block_last_centre_missing_3d", "is due"},
        Case{"faulty:block_scale_not_measured", "scale 1/keep"},
        Case{"faulty:channel_as_element", "this is dropout, but: refuses"},
        Case{"faulty:sample_as_channel", "this is drop_path, but: refuses"},
        Case{"faulty:channels_shared_by_batch",
             "broadcast_dropout (sharing axes 0 and 2 and 3)"},
        Case{"faulty:droppath_batch_for_row", "this is stochastic_depth, but"},
        Case{"faulty:lanes_of_4", "decides once per group of 4 elements"},
        Case{"faulty:exact_count",
             "times as much as independent decisions make it"},
        Case{"faulty:vector_tail_never_dropped",
             "7 of 31 places are decided alike in every call"},
        Case{"faulty:beyond_1024_dropped", "on 5x3x4x2, but 0.88"},
        Case{"faulty:same_mask_every_call",
             "every call returns the same mask until the next reseed"},
        Case{"faulty:few_masks", "only 16 distinct masks in 256 calls"},
        Case{"faulty:seed_ignored", "a seed does not repeat its masks"},
        Case{"faulty:constant_seed", "every seed gives the same masks"},
        Case{"faulty:active_at_eval", "at evaluation: drops too"},
        Case{"faulty:eval_scales", "at evaluation: 0.9 * x"},
        Case{"faulty:sticky_eval",
             "training drops nothing once it has been evaluated"},
        Case{"faulty:in_place_off_modifies_input",
             "writes to its input, though not in place"}),
    [](const auto& one) { return std::string(one.param.subject).substr(7); });

// Whatever a subject does, what could not be told is told.
TEST(Identify, TellsWhatCannotBeToldOfASubjectThatRefuses) {
  Oddity throws;
  throws.forward = [](const impl::Call&, impl::TensorView,
                      impl::Tensor&) -> impl::TensorView {
    throw std::runtime_error("no kernel");
  };
  EXPECT_THAT(told(identify_odd(throws)), HasSubstr("no kernel"));
  Oddity odder;
  odder.forward = [](const impl::Call&, impl::TensorView,
                     impl::Tensor&) -> impl::TensorView { throw 42; };
  const Identification found = identify_odd(odder);
  EXPECT_FALSE(found.identified);
  EXPECT_THAT(told(found), HasSubstr("no std::exception"));
  Oddity refuses;
  refuses.make = [](const LayerConfig&) {
    throw impl::LayerError("no such layer");
  };
  EXPECT_THAT(told(identify_odd(refuses)), HasSubstr("no such layer"));
}

TEST(Identify, TellsACrashAndATimeout) {
  Oddity crash;
  crash.forward = [](const impl::Call&, impl::TensorView,
                     impl::Tensor&) -> impl::TensorView {
    throw impl::SubjectCrashed("ended by signal 11");
  };
  const Identification crashed = identify_odd(crash);
  EXPECT_TRUE(crashed.crashed);
  EXPECT_FALSE(crashed.identified);
  EXPECT_THAT(told(crashed), HasSubstr("signal 11"));
  Oddity hang;
  hang.forward = [](const impl::Call& call, impl::TensorView result,
                    impl::Tensor&) -> impl::TensorView {
    if (call.training) return result;
    throw impl::SubjectTimeout("no answer");
  };
  EXPECT_THAT(told(identify_odd(hang)), HasSubstr("no answer"));
}

TEST(Identify, PassesAdapterErrorsOn) {
  Oddity gone;
  gone.open = [] { throw impl::AdapterError("no worker"); };
  EXPECT_THROW(identify_odd(gone), impl::AdapterError);
}

TEST(Identify, TellsResultsThatNoLawExplains) {
  Oddity nan;
  nan.forward = [](const impl::Call&, impl::TensorView result,
                   impl::Tensor& room) {
    return testing::filled(result, room, std::nan(""));
  };
  const Identification nowhere = identify_odd(nan);
  EXPECT_FALSE(nowhere.identified);
  EXPECT_THAT(told(nowhere), HasSubstr("returns nan everywhere"));
  Oddity other_dtype;
  other_dtype.forward = [](const impl::Call&, impl::TensorView result,
                           impl::Tensor& room) {
    return testing::converted(result, room, impl::DType::kFloat64);
  };
  EXPECT_THAT(told(identify_odd(other_dtype)),
              HasSubstr("returns f64 for f32 input"));
  Oddity squares;
  squares.forward = [](const impl::Call& call, impl::TensorView result,
                       impl::Tensor&) {
    for (std::int64_t i = 0; i < result.size(); ++i) {
      const double y = result.value(i);
      result.set(i, call.training ? y * y : y);
    }
    return result;
  };
  const Identification bent = identify_odd(squares);
  EXPECT_FALSE(bent.identified);
  EXPECT_THAT(told(bent), HasSubstr("the scale: kept values are no linear"));
}

// As drop_block does it: entries over kept entries, counted in each call.
TEST(Identify, NamesNoLayerWhereEachCallHasAScaleOfItsOwn) {
  Oddity counted;
  counted.forward = [](const impl::Call& call, impl::TensorView result,
                       impl::Tensor&) {
    if (!call.training) return result;
    const std::int64_t size = result.size() / call.repeat;
    for (std::int64_t t = 0; t < call.repeat; ++t) {
      std::int64_t kept = 0;
      for (std::int64_t i = 0; i < size; ++i) {
        kept += result.value(t * size + i) != 0 ? 1 : 0;
      }
      const double scale = static_cast<double>(size) /
                           static_cast<double>(std::max<std::int64_t>(kept, 1));
      for (std::int64_t i = 0; i < size; ++i) {
        result.set(t * size + i, 0.7 * scale * result.value(t * size + i));
      }
    }
    return result;
  };
  const Identification found = identify_odd(counted);
  EXPECT_EQ(found.kind, ValueKind::kScalePerCall);
  EXPECT_FALSE(found.identified);
  EXPECT_THAT(told(found), HasSubstr("each call has one of its own"));
}

TEST(Identify, TellsWhatIsNotDroppedAtTheEnds) {
  const Identification none = identify(subject("builtin:dropout"), settings(0));
  EXPECT_EQ(none.kind, ValueKind::kNothingDropped);
  EXPECT_THAT(told(none), HasSubstr("drops nothing"));
  EXPECT_FALSE(none.identified);
  const Identification all = identify(subject("builtin:dropout"), settings(1));
  EXPECT_EQ(all.kind, ValueKind::kAllDropped);
  EXPECT_FALSE(all.identified);
}

TEST(Identify, StopsWhereItIsInterrupted) {
  const std::atomic<bool> stop{true};
  IdentifySettings interrupted = settings(0.1);
  interrupted.interrupt = &stop;
  const Identification found =
      identify(subject("builtin:dropout"), interrupted);
  EXPECT_TRUE(found.interrupted);
  EXPECT_FALSE(found.identified);
  EXPECT_EQ(found.calls, 0U);
}

TEST(Identify, DoesWithoutAReseed) {
  Oddity fixed;
  fixed.describe = [](impl::Description& description) {
    description.reseed = false;
  };
  const Identification found = identify_odd(fixed);
  EXPECT_TRUE(is_named(found, "dropout")) << told(found);
  EXPECT_THAT(found.seeding, HasSubstr("cannot be reseeded"));
}

}  // namespace
}  // namespace dropcheck::properties
