#include "dropcheck/generators/cases.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "oracle_input.hpp"

namespace dropcheck::generators {
namespace {

using properties::CaseWish;
using properties::DrawnCase;

/// The whole range whatever RapidCheck's size is.
template <class T>
rc::Gen<T> within(T first, T last) {
  return rc::gen::resize(rc::kNominalSize,
                         rc::gen::inRange<T>(first, last + 1));
}

/// A long axis, and short ones that share what is left of the elements.
constexpr std::int64_t kRequest = std::int64_t{1} << 18;

rc::Gen<std::int64_t> element_counts() {
  return rc::gen::weightedOneOf<std::int64_t>(
      {{27, within<std::int64_t>(1, 16)},
       {40, within<std::int64_t>(17, 400)},
       {26, within<std::int64_t>(401, 5000)},
       {4, within<std::int64_t>(5001, 70000)},
       {3, within<std::int64_t>(kRequest + 1, kRequest + 1000)}});
}

impl::Shape any_shape(int rank) {
  impl::Shape shape;
  if (rank == 0) return shape;
  std::int64_t left = *element_counts();
  const int longest = *within(0, rank - 1);
  for (int axis = 0; axis < rank; ++axis) {
    const std::int64_t extent = axis == longest
                                    ? 1
                                    : *rc::gen::weightedOneOf<std::int64_t>(
                                          {{1, rc::gen::just<std::int64_t>(1)},
                                           {3, within<std::int64_t>(2, 9)}});
    shape.push_back(std::min(extent, left));
    left /= shape.back();
  }
  shape[static_cast<std::size_t>(longest)] = left;
  if (*within(1, 100) <= 5) {
    shape[static_cast<std::size_t>(*within(0, rank - 1))] = 0;
  }
  return shape;
}

impl::LayerConfig any_options(const CaseWish& wish) {
  if (wish.variants.empty() || *within(0, 1) == 0) return {};
  return *rc::gen::elementOf(wish.variants);
}

impl::DType any_dtype(const CaseWish& wish) {
  return *rc::gen::elementOf(wish.dtypes);
}

/// Drop probabilities at which few decisions say something.
rc::Gen<double> network_rates() {
  return rc::gen::weightedOneOf<double>(
      {{1, rc::gen::element(.1, .17, .2, .3, .5, .25, .75)},
       {1, rc::gen::map(within(50, 800), [](int k) { return k / 1000.0; })}});
}

/// Elements of all taps in a call: what a generated network may cost.
constexpr std::int64_t kTapElements = 12000;

DrawnCase any_network(const CaseWish& wish) {
  const impl::NetworkLaw& law = *wish.law.network;
  DrawnCase drawn;
  drawn.config.layer = wish.law.layer;
  drawn.config.drop_probability = *network_rates();
  drawn.config.dtype = any_dtype(wish);
  impl::NetworkOptions& options = drawn.config.network;
  if (law.blocks > 1) options.depth = *within(1, law.blocks);
  if (law.heads > 0) {
    options.heads = *rc::gen::element(1, 2, 4);
    options.width = 4 * *within<std::int64_t>(1, 4);
  } else if (!law.keeps_moments) {
    // SELU's moments have a band for one width.
    options.width = *within<std::int64_t>(12, 40);
  }
  const impl::NetworkLaw network = impl::network_law(wish.law, drawn.config);
  std::int64_t elements = static_cast<std::int64_t>(network.taps());
  for (const std::int64_t extent : network.tap) elements *= extent;
  const std::int64_t most =
      std::clamp<std::int64_t>(kTapElements / elements, 8, 64);
  drawn.shape = {*within<std::int64_t>(8, most)};
  drawn.shape.insert(drawn.shape.end(), network.sample.begin(),
                     network.sample.end());
  return drawn;
}

/// A mask for every sample of a large tensor shows no more than one.
bool results_are_many(const impl::Law& law, const DrawnCase& drawn) {
  const std::int64_t results =
      impl::element_count(impl::output_shape(law, drawn.config, drawn.shape));
  return results > kRequest + 1000;
}

DrawnCase any_case(const CaseWish& wish) {
  if (wish.law.network != nullptr) return any_network(wish);
  DrawnCase drawn;
  drawn.config = any_options(wish);
  drawn.config.layer = wish.law.layer;
  drawn.config.drop_probability = *drop_probabilities(wish.law);
  drawn.config.dtype = any_dtype(wish);
  const int highest = std::min(wish.law.maximum_rank, 6);
  do {
    drawn.shape = any_shape(*within(wish.law.minimum_rank, highest));
  } while (!properties::has_meaning(wish.law, drawn) ||
           results_are_many(wish.law, drawn));
  return drawn;
}

}  // namespace

rc::Gen<double> drop_probabilities(const impl::Law& law) {
  // A layer that may refuse 1 is asked for it by edge_probabilities only.
  const bool one = law.options.at_one == impl::AtOne::kZeros ||
                   law.options.at_one == impl::AtOne::kFormula;
  const auto power = [](int first, int last) {
    return rc::gen::map(within(first, last),
                        [](int k) { return std::ldexp(1.0, -k); });
  };
  return rc::gen::weightedOneOf<double>(
      {{20, rc::gen::element(.5, .25, .75, .125, .875, .0625)},
       {32, rc::gen::element(.1, .17, .3, .001, .999, 1 / 3.0)},
       {28, rc::gen::map(within(1, 999), [](int k) { return k / 1000.0; })},
       {6, power(20, 1000)},
       {6, rc::gen::map(power(10, 53), [](double p) { return 1 - p; })},
       {4, power(1023, 1074)},
       {2, rc::gen::just(0.0)},
       {2, rc::gen::just(one ? 1.0 : 0.0)}});
}

rc::Gen<DrawnCase> cases(const CaseWish& wish) {
  const impl::Law law = wish.law;
  const auto options = wish.variants;
  const auto dtypes = wish.dtypes;
  const rc::Gen<DrawnCase> once = rc::gen::exec([=] {
    return any_case({law, dtypes, options});
  });
  const auto simpler = [law](const DrawnCase& drawn) {
    return rc::seq::fromContainer(properties::simpler_cases(law, drawn));
  };
  return [=](const rc::Random& random, int size) {
    return rc::shrinkable::shrinkRecur(once(random, size).value(), simpler);
  };
}

rc::Gen<impl::Tensor> readable_inputs(const impl::Law& law,
                                      const DrawnCase& drawn) {
  return rc::gen::map(rc::gen::noShrink(rc::gen::arbitrary<std::uint64_t>()),
                      [=](std::uint64_t key) {
                        return properties::make_input(law, drawn.config,
                                                      drawn.shape, key);
                      });
}

rc::Gen<impl::Layout> layouts(const impl::Shape& shape, impl::Strides strides) {
  std::vector<impl::Layout> legal = impl::legal_layouts(shape);
  std::erase_if(legal, [strides](impl::Layout layout) {
    return impl::needed_strides(layout) > strides;
  });
  return rc::gen::elementOf(legal);
}

rc::Gen<double> special_values(impl::DType dtype) {
  const bool binary16 = dtype == impl::DType::kFloat16;
  const bool binary64 = dtype == impl::DType::kFloat64;
  const int bits = impl::significand_bits(dtype);
  const int largest = binary16 ? 15 : binary64 ? 1023 : 127;
  const double normal = std::ldexp(1.0, 1 - largest);
  const double least = std::ldexp(normal, 1 - bits);
  const double top = std::ldexp(2 - std::ldexp(2.0, -bits), largest);
  const rc::Gen<double> magnitude =
      rc::gen::element(0.0, std::numeric_limits<double>::infinity(),
                       std::numeric_limits<double>::quiet_NaN(), least,
                       normal - least, normal, top);
  return rc::gen::apply(
      [](double value, bool negative) { return negative ? -value : value; },
      magnitude, rc::gen::arbitrary<bool>());
}

rc::Gen<std::vector<CallStep>> call_sequences(const impl::Law& law,
                                              const DrawnCase& drawn) {
  return rc::gen::exec([=] {
    std::vector<CallStep> steps(static_cast<std::size_t>(*within(1, 12)));
    for (CallStep& step : steps) {
      step.kind = *rc::gen::element(CallKind::kTrain, CallKind::kEvaluate,
                                    CallKind::kReseed, CallKind::kOtherSize,
                                    CallKind::kClone);
      step.shape = drawn.shape;
      if (step.kind == CallKind::kClone) step.shape.clear();
      if (step.kind == CallKind::kReseed) {
        step.seed = *rc::gen::arbitrary<std::uint64_t>();
        step.shape.clear();
      }
      if (step.kind != CallKind::kOtherSize) continue;
      do {
        step.shape = any_shape(static_cast<int>(drawn.shape.size()));
      } while (impl::element_count(step.shape) > 5000 ||
               !properties::has_meaning(law, {drawn.config, step.shape}));
    }
    return steps;
  });
}

}  // namespace dropcheck::generators
