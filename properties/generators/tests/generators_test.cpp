// The generators on trial, as Hypothesis tests its own: each class that has
// found defects elsewhere is reached with a stated share.
//
// Method. A fixed number of cases is drawn by a fixed seed. A class passes
// unless its count would be so small with a chance of at most 1e-9 if the
// share were the stated one: an exact binomial tail, so no share is estimated.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <set>

#include "dropcheck/generators/cases.hpp"
#include "dropcheck/generators/rapidcheck_source.hpp"
#include "dropcheck/impl/registry.hpp"
#include "dropcheck/stats/binomial_tail.hpp"

namespace dropcheck::generators {
namespace {

using properties::CaseWish;
using properties::DrawnCase;

constexpr std::size_t kDraws = 6000;

const std::vector<impl::DType> kDTypes{
    impl::DType::kFloat32, impl::DType::kFloat64, impl::DType::kFloat16,
    impl::DType::kBFloat16};

CaseWish wish_for(const std::string& layer) {
  for (const impl::SubjectEntry& entry : impl::builtin_subjects()) {
    if (entry.layer == layer) {
      return {*impl::find_law(layer), kDTypes, entry.variants};
    }
  }
  throw std::invalid_argument("no layer " + layer);
}

const std::vector<DrawnCase>& drawn_for(const std::string& layer) {
  static std::map<std::string, std::vector<DrawnCase>> known;
  auto& cases = known[layer];
  if (cases.empty())
    cases = RapidCheckSource().draw(wish_for(layer), 7, kDraws);
  return cases;
}

struct Class {
  std::string name;
  double least_share;
  std::function<bool(const DrawnCase&)> contains;
};

void PrintTo(const Class& one, std::ostream* out) { *out << one.name; }

bool among(double p, std::initializer_list<double> values) {
  return std::find(values.begin(), values.end(), p) != values.end();
}

double drop_of(const DrawnCase& drawn) { return drawn.config.drop_probability; }

std::int64_t elements_of(const DrawnCase& drawn) {
  return impl::element_count(drawn.shape);
}

bool has_extent(const DrawnCase& drawn, std::int64_t extent) {
  return std::count(drawn.shape.begin(), drawn.shape.end(), extent) > 0;
}

std::vector<Class> classes() {
  std::vector<Class> all{
      {"dyadic drop probability", .18,
       [](const DrawnCase& c) {
         return among(drop_of(c), {.5, .25, .75, .125, .875, .0625});
       }},
      {"awkward drop probability", .28,
       [](const DrawnCase& c) {
         return among(drop_of(c), {.1, .17, .3, .001, .999, 1 / 3.0});
       }},
      {"drop probability in thousandths", .25,
       [](const DrawnCase& c) {
         return std::round(drop_of(c) * 1000) / 1000 == drop_of(c);
       }},
      {"tiny drop probability", .05,
       [](const DrawnCase& c) {
         return drop_of(c) > 0 && drop_of(c) < 0x1p-19;
       }},
      {"drop probability near 1", .04,
       [](const DrawnCase& c) { return drop_of(c) < 1 && drop_of(c) > .9999; }},
      {"denormal drop probability", .02,
       [](const DrawnCase& c) {
         return drop_of(c) > 0 &&
                drop_of(c) < std::numeric_limits<double>::min();
       }},
      {"drop probability 0", .01,
       [](const DrawnCase& c) { return drop_of(c) == 0; }},
      {"empty", .03, [](const DrawnCase& c) { return elements_of(c) == 0; }},
      {"one element", .04,
       [](const DrawnCase& c) { return elements_of(c) == 1; }},
      {"an extent of 1", .3,
       [](const DrawnCase& c) { return has_extent(c, 1); }},
      {"height is not width", .5,
       [](const DrawnCase& c) {
         return c.shape.size() >= 2 && c.shape.back() != *(c.shape.end() - 2);
       }},
      {"beyond one request", .015,
       [](const DrawnCase& c) { return elements_of(c) > 1 << 18; }},
      {"in place", .3, [](const DrawnCase& c) { return c.config.in_place; }}};
  for (std::size_t rank = 0; rank <= 6; ++rank) {
    all.push_back(
        {"rank " + std::to_string(rank), .11,
         [rank](const DrawnCase& c) { return c.shape.size() == rank; }});
  }
  for (std::int64_t rest = 0; rest < 8; ++rest) {
    all.push_back({"8 k + " + std::to_string(rest) + " elements", .03,
                   [rest](const DrawnCase& c) {
                     return elements_of(c) > 8 && elements_of(c) % 8 == rest;
                   }});
  }
  for (const impl::DType dtype : kDTypes) {
    all.push_back(
        {std::string(impl::name_of(dtype)), .22,
         [dtype](const DrawnCase& c) { return c.config.dtype == dtype; }});
  }
  return all;
}

class Share : public ::testing::TestWithParam<Class> {};

TEST_P(Share, IsAtLeastTheStatedOne) {
  const auto& cases = drawn_for("dropout");
  const auto count =
      std::count_if(cases.begin(), cases.end(), GetParam().contains);
  EXPECT_GT(count, stats::lower_critical_count(kDraws, GetParam().least_share,
                                               std::log(1e-9)))
      << GetParam().name << ": " << count << " of " << kDraws;
}

INSTANTIATE_TEST_SUITE_P(Generators, Share, ::testing::ValuesIn(classes()));

class EveryLaw : public ::testing::TestWithParam<std::string> {};

std::vector<std::string> layers() {
  std::vector<std::string> names;
  for (const impl::Law& law : impl::laws()) names.emplace_back(law.layer);
  return names;
}

TEST_P(EveryLaw, GetsEveryRankAndOptionThatItAllows) {
  const CaseWish wish = wish_for(GetParam());
  std::set<std::size_t> ranks;
  std::set<std::string> options;
  for (const DrawnCase& drawn : drawn_for(GetParam())) {
    ASSERT_TRUE(properties::has_meaning(wish.law, drawn))
        << impl::describe(drawn.config) << " " << impl::to_string(drawn.shape);
    ranks.insert(drawn.shape.size());
    impl::LayerConfig plain = drawn.config;
    plain.drop_probability = .5;
    plain.dtype = impl::DType::kFloat32;
    options.insert(impl::describe(plain));
  }
  // Options may ask for more axes than the law.
  const auto highest = std::min(wish.law.maximum_rank, 6);
  for (int rank = wish.law.minimum_rank; rank <= highest; ++rank) {
    EXPECT_TRUE(ranks.count(static_cast<std::size_t>(rank)) > 0) << rank;
  }
  EXPECT_EQ(options.size(), wish.variants.size() + 1);
}

TEST_P(EveryLaw, ShrinksToASingleSmallCase) {
  const CaseWish wish = wish_for(GetParam());
  const impl::Law& law = wish.law;
  DrawnCase drawn = drawn_for(GetParam()).front();
  for (std::size_t step = 0; step < 1000; ++step) {
    const auto simpler = properties::simpler_cases(law, drawn);
    if (simpler.empty()) break;
    drawn = simpler.front();
  }
  EXPECT_TRUE(properties::simpler_cases(law, drawn).empty());
  EXPECT_EQ(impl::describe(drawn.config), "p=0.5,f32");
  EXPECT_EQ(static_cast<int>(drawn.shape.size()), law.minimum_rank);
  EXPECT_LE(elements_of(drawn), 1);
}

INSTANTIATE_TEST_SUITE_P(Generators, EveryLaw, ::testing::ValuesIn(layers()),
                         [](const auto& one) { return one.param; });

TEST(RapidCheckSource, DrawsTheSameForTheSameSeedWhateverTheCount) {
  const CaseWish wish = wish_for("dropout2d");
  const auto few = RapidCheckSource().draw(wish, 3, 5);
  auto many = RapidCheckSource().draw(wish, 3, 50);
  EXPECT_NE(many, RapidCheckSource().draw(wish, 4, 50));
  many.resize(5);
  EXPECT_EQ(few, many);
}

TEST(DropProbabilities, AskFor1OnlyWhereTheLawSaysWhatItGives) {
  const auto ones = [](const std::string& layer) {
    const auto& cases = drawn_for(layer);
    return std::count_if(cases.begin(), cases.end(),
                         [](const DrawnCase& c) { return drop_of(c) == 1; });
  };
  EXPECT_EQ(ones("gaussian_dropout"), 0);
  for (const char* layer : {"dropout", "drop_block2d"}) {
    EXPECT_GT(ones(layer),
              stats::lower_critical_count(kDraws, .01, std::log(1e-9)))
        << layer;
  }
}

// Every value survives the dtype, so that a subnormal number stays one.
TEST(SpecialValues, AreValuesOfTheDType) {
  for (const impl::DType dtype : kDTypes) {
    std::set<double> seen;
    bool nan = false;
    for (std::uint64_t i = 0; i < 1000; ++i) {
      const double value = special_values(dtype)(rc::Random(i)).value();
      nan = nan || std::isnan(value);
      if (std::isnan(value)) continue;
      EXPECT_EQ(impl::rounded(value, dtype), value) << impl::name_of(dtype);
      seen.insert(value);
    }
    EXPECT_TRUE(nan);
    // Six magnitudes of both signs; the zeros are equal.
    EXPECT_EQ(seen.size(), 11U);
  }
}

TEST(Layouts, HoldEveryLegalOneAlike) {
  constexpr std::uint64_t kLayoutDraws = 2000;
  const impl::Shape shape{3, 5, 7};
  const auto legal = impl::legal_layouts(shape);
  std::map<impl::Layout, std::int64_t> counts;
  for (std::uint64_t i = 0; i < kLayoutDraws; ++i) {
    ++counts[layouts(shape, impl::Strides::kAny)(rc::Random(i)).value()];
  }
  const double share = 1.0 / static_cast<double>(legal.size());
  for (const impl::Layout layout : legal) {
    EXPECT_GT(counts[layout],
              stats::lower_critical_count(kLayoutDraws, share, std::log(1e-9)))
        << impl::name_of(layout);
  }
  EXPECT_EQ(layouts({}, impl::Strides::kCompact)(rc::Random(1)).value(),
            impl::Layout::kContiguous);
}

TEST(CallSequences, HoldEveryKindOfCall) {
  const CaseWish wish = wish_for("dropout");
  std::map<CallKind, std::size_t> kinds;
  std::size_t steps = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const auto sequence =
        call_sequences(wish.law, {{}, {3, 5}})(rc::Random(i)).value();
    EXPECT_THAT(sequence.size(),
                ::testing::AllOf(::testing::Ge(1U), ::testing::Le(12U)));
    for (const CallStep& step : sequence) ++kinds[step.kind];
    steps += sequence.size();
  }
  for (const CallKind kind :
       {CallKind::kTrain, CallKind::kEvaluate, CallKind::kReseed,
        CallKind::kOtherSize, CallKind::kClone}) {
    EXPECT_GT(static_cast<std::int64_t>(kinds[kind]),
              stats::lower_critical_count(steps, .19, std::log(1e-9)));
  }
}

/// Whether a step of one kind comes somewhere before a step of another one.
bool comes_before(const std::vector<CallStep>& steps, CallKind first,
                  CallKind second) {
  const auto is = [](CallKind kind) {
    return [kind](const CallStep& step) { return step.kind == kind; };
  };
  const auto at = std::find_if(steps.begin(), steps.end(), is(first));
  return at != steps.end() && std::any_of(at + 1, steps.end(), is(second));
}

// What sticks shows in the order of calls: each order that has hidden a defect
// is in two of five sequences.
TEST(CallSequences, ReachEveryOrderThatSticks) {
  const CaseWish wish = wish_for("dropout");
  constexpr std::uint64_t kSequences = 2000;
  const std::vector<std::pair<CallKind, CallKind>> orders{
      {CallKind::kEvaluate, CallKind::kTrain},
      {CallKind::kOtherSize, CallKind::kTrain},
      {CallKind::kReseed, CallKind::kTrain},
      {CallKind::kTrain, CallKind::kReseed},
      {CallKind::kClone, CallKind::kTrain},
      {CallKind::kTrain, CallKind::kClone},
      {CallKind::kEvaluate, CallKind::kClone}};
  std::map<std::pair<CallKind, CallKind>, std::int64_t> counts;
  for (std::uint64_t i = 0; i < kSequences; ++i) {
    const auto sequence =
        call_sequences(wish.law, {{}, {3, 5}})(rc::Random(i)).value();
    for (const auto& order : orders) {
      counts[order] += comes_before(sequence, order.first, order.second);
    }
  }
  for (const auto& order : orders) {
    EXPECT_GT(counts[order],
              stats::lower_critical_count(kSequences, .4, std::log(1e-9)))
        << static_cast<int>(order.first) << " before "
        << static_cast<int>(order.second);
  }
}

// Over the shapes that are drawn, not over one that allows all.
TEST(Layouts, OfDrawnShapesReachEveryKindOfStrides) {
  const auto& cases = drawn_for("dropout");
  std::map<impl::Layout, std::int64_t> counts;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    ++counts[layouts(cases[i].shape, impl::Strides::kAny)(rc::Random(i))
                 .value()];
  }
  for (const impl::Layout layout : impl::kLayouts) {
    EXPECT_GT(counts[layout],
              stats::lower_critical_count(kDraws, .025, std::log(1e-9)))
        << impl::name_of(layout) << ": " << counts[layout];
  }
}

const impl::SubjectEntry& network(const std::string& layer) {
  for (const impl::SubjectEntry& entry : impl::builtin_networks()) {
    if (entry.layer == layer) return entry;
  }
  throw std::invalid_argument("no network " + layer);
}

std::vector<DrawnCase> networks_drawn(const std::string& layer,
                                      std::size_t count) {
  const impl::Law& law = *impl::find_law(network(layer).layer);
  return RapidCheckSource().draw(
      {law, {impl::DType::kFloat32, impl::DType::kFloat64}}, 7, count);
}

struct NetworkClass {
  const char* layer;
  const char* name;
  double least_share;
  bool (*contains)(const DrawnCase&);
};

TEST(Networks, AreDrawnOfEveryDepthWidthAndBatch) {
  constexpr std::size_t kNetworkDraws = 2000;
  const std::vector<NetworkClass> all{
      {"vit_encoder", "one block", .06,
       [](const DrawnCase& c) { return c.config.network.depth == 1; }},
      {"vit_encoder", "twelve blocks", .06,
       [](const DrawnCase& c) { return c.config.network.depth == 12; }},
      {"vit_encoder", "one head", .3,
       [](const DrawnCase& c) { return c.config.network.heads == 1; }},
      {"vit_encoder", "four heads of one feature", .06,
       [](const DrawnCase& c) {
         return c.config.network.heads == 4 && c.config.network.width == 4;
       }},
      {"vit_encoder", "an odd batch", .3,
       [](const DrawnCase& c) { return c.shape[0] % 2 == 1; }},
      {"vit_encoder", "f64", .45,
       [](const DrawnCase& c) {
         return c.config.dtype == impl::DType::kFloat64;
       }},
      {"selu_network", "at most four blocks", .1,
       [](const DrawnCase& c) { return c.config.network.depth <= 4; }},
      {"selu_network", "more than 24 blocks", .2,
       [](const DrawnCase& c) { return c.config.network.depth > 24; }},
      {"linear_relu_drop_path", "another width", .9,
       [](const DrawnCase& c) { return c.config.network.width != 16; }}};
  for (const NetworkClass& one : all) {
    const auto cases = networks_drawn(one.layer, kNetworkDraws);
    const auto count = std::count_if(cases.begin(), cases.end(), one.contains);
    EXPECT_GT(count, stats::lower_critical_count(kNetworkDraws, one.least_share,
                                                 std::log(1e-9)))
        << one.layer << ", " << one.name << ": " << count;
    for (const DrawnCase& drawn : cases) {
      ASSERT_TRUE(properties::has_meaning(*impl::find_law(one.layer), drawn))
          << impl::describe(drawn.config);
    }
  }
}

}  // namespace
}  // namespace dropcheck::generators
