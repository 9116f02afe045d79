// What is exact about every reference layer, over configurations of RapidCheck:
// rc::check shows the smallest case that breaks it.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "dropcheck/generators/cases.hpp"
#include "dropcheck/impl/block_law.hpp"
#include "support.hpp"

namespace dropcheck::properties {

std::ostream& operator<<(std::ostream& out, const DrawnCase& drawn) {
  return out << impl::describe(drawn.config) << ","
             << impl::to_string(drawn.shape);
}

namespace {

constexpr std::int64_t kMostElements = 5000;

/// Every dtype and option; small, as RapidCheck asks a hundred times.
rc::Gen<DrawnCase> small_cases(const impl::SubjectEntry& entry,
                               const impl::Law& law) {
  return rc::gen::suchThat(
      generators::cases({law,
                         {impl::DType::kFloat32, impl::DType::kFloat64,
                          impl::DType::kFloat16, impl::DType::kBFloat16},
                         entry.variants}),
      [](const DrawnCase& drawn) {
        return impl::element_count(drawn.shape) <= kMostElements;
      });
}

impl::Tensor copied(const impl::TensorView& view) {
  impl::Tensor tensor(view.dtype, view.shape);
  impl::copy(view, tensor.view());
  return tensor;
}

impl::Tensor called(impl::Layer& layer, impl::Tensor input, bool training) {
  return copied(layer.forward({input.view(), training, 1}));
}

bool same_bits(const impl::Tensor& a, const impl::Tensor& b) {
  return a.dtype() == b.dtype() && a.shape() == b.shape() &&
         (a.byte_count() == 0 ||
          std::memcmp(a.bytes(), b.bytes(), a.byte_count()) == 0);
}

/// Whether y is the kept or the dropped value of x, up to three units of the
/// last place: which rounding is right is for `support` to say.
bool is_kept(double x, double y, const impl::Affine& map, impl::DType dtype) {
  const double kept = map.a * x + map.b;
  const double unit = std::ldexp(1.0, 3 - impl::significand_bits(dtype));
  return std::abs(y - kept) <=
         unit * (std::abs(map.a * x) + std::abs(map.b)) + 0x1p-140;
}

bool is_dropped(double y, const impl::Affine& map, impl::DType dtype) {
  return y == impl::rounded(map.dropped_value(), dtype) ||
         std::abs(y - map.dropped_value()) <=
             std::ldexp(std::abs(map.a * map.c) + std::abs(map.b),
                        3 - impl::significand_bits(dtype));
}

class EveryLayer : public ::testing::TestWithParam<impl::SubjectEntry> {
 protected:
  const impl::SubjectEntry& entry() const { return GetParam(); }
  impl::Law law() const { return impl::law_of(entry()); }
};

// Support, granularity and layout: wherever it lies in memory, each element is
// kept or dropped, and one unit's are all the one or all the other.
TEST_P(EveryLayer, KeepsOrDropsWholeUnits) {
  const impl::Law rule = law();
  if (rule.factor != impl::Factor::kMask) GTEST_SKIP() << "noise, no mask";
  EXPECT_TRUE(rc::check(entry().name, [&] {
    const DrawnCase drawn = *small_cases(entry(), rule);
    RC_PRE(!impl::measures_scale(rule, drawn.config));
    const impl::Tensor input = *generators::readable_inputs(rule, drawn);
    const auto subject = entry().open();
    const auto layout =
        *generators::layouts(drawn.shape, subject->describe().strides);
    RC_PRE(!drawn.config.in_place || layout != impl::Layout::kExpanded);
    const impl::LaidOut given(input, layout);
    const auto layer = subject->make(drawn.config);
    const impl::Tensor base = rule.base == impl::Base::kInput
                                  ? given.values()
                                  : called(*layer, given.values(), false);
    layer->reseed(*rc::gen::arbitrary<std::uint64_t>());
    const impl::Tensor output = copied(layer->forward({given.view(), true, 1}));
    RC_ASSERT(!given.damage("its input"));
    RC_ASSERT(output.shape() ==
              impl::output_shape(rule, drawn.config, drawn.shape));
    RC_ASSERT(output.dtype() == drawn.config.dtype);
    const impl::Affine map = impl::affine(rule, drawn.config);
    const auto units =
        impl::unit_of_element(rule, drawn.config, output.shape());
    enum class Seen : std::uint8_t { kNothing, kKept, kDropped };
    std::vector<Seen> units_seen(units.size() + 1, Seen::kNothing);
    const impl::TensorView from = base.view();
    const impl::TensorView to = output.view();
    for (std::int64_t i = 0; i < output.size(); ++i) {
      const double x = from.value(i);
      const double y = to.value(i);
      const bool keeps = is_kept(x, y, map, drawn.config.dtype);
      const bool drops = is_dropped(y, map, drawn.config.dtype);
      // Where 1/keep leaves the range of the dtype a kept value is infinite.
      if (!std::isfinite(y)) continue;
      RC_ASSERT(keeps || drops);
      const std::uint32_t unit = units[static_cast<std::size_t>(i)];
      if (keeps == drops || unit == impl::kNoUnit) continue;
      const Seen now = keeps ? Seen::kKept : Seen::kDropped;
      Seen& seen = units_seen[unit];
      RC_ASSERT(seen == Seen::kNothing || seen == now);
      seen = now;
    }
  }));
}

// Whatever was called before: evaluation is one function of the input, and a
// seed repeats its masks.
TEST_P(EveryLayer, ForgetsWhatWasCalledBefore) {
  const impl::Law rule = law();
  EXPECT_TRUE(rc::check(entry().name, [&] {
    const DrawnCase drawn = *small_cases(entry(), rule);
    const impl::Tensor input = *generators::readable_inputs(rule, drawn);
    const auto subject = entry().open();
    const auto fresh = subject->make(drawn.config);
    const impl::Tensor evaluated = called(*fresh, input, false);
    fresh->reseed(7);
    const impl::Tensor trained = called(*fresh, input, true);
    auto used = subject->make(drawn.config);
    for (const generators::CallStep& step :
         *generators::call_sequences(rule, drawn)) {
      if (step.kind == generators::CallKind::kReseed) {
        used->reseed(step.seed);
        continue;
      }
      if (step.kind == generators::CallKind::kClone) {
        auto copy = used->clone();
        used = std::move(copy);
        continue;
      }
      const impl::Tensor other = *generators::readable_inputs(
          rule, DrawnCase{drawn.config, step.shape});
      called(*used, other, step.kind != generators::CallKind::kEvaluate);
    }
    RC_ASSERT(same_bits(called(*used, input, false), evaluated));
    used->reseed(7);
    RC_ASSERT(same_bits(called(*used, input, true), trained));
  }));
}

INSTANTIATE_TEST_SUITE_P(Builtin, EveryLayer,
                         ::testing::ValuesIn(impl::builtin_subjects()),
                         [](const auto& one) { return one.param.layer; });

}  // namespace
}  // namespace dropcheck::properties
