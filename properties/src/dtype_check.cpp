// dtype: results in the input's dtype, rounded once to it, over its range.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "check_definition.hpp"
#include "dropcheck/impl/block_law.hpp"
#include "dropcheck/impl/random_stream.hpp"
#include "dtype_limits.hpp"
#include "form_trial.hpp"
#include "own_draws.hpp"
#include "shapes.hpp"
#include "value_comparison.hpp"
#include "value_model.hpp"

namespace dropcheck::properties {
namespace {

using impl::DType;
using Fault = std::optional<std::string>;

/// Dtypes that hold fewer digits, or a smaller range.
std::vector<DType> narrower(DType dtype) {
  switch (dtype) {
    case DType::kFloat64:
      return {DType::kFloat32, DType::kFloat16, DType::kBFloat16};
    case DType::kFloat32:
      return {DType::kFloat16, DType::kBFloat16};
    case DType::kFloat16:
      return {DType::kBFloat16};
    case DType::kBFloat16:
      return {};
  }
  return {};
}

/// On one range of numbers, for a value that is kept.
constexpr std::int64_t kMostCalls = 256;

bool all_in(DType dtype, const std::vector<KeptPair>& pairs) {
  return std::all_of(pairs.begin(), pairs.end(), [&](const KeptPair& pair) {
    return impl::rounded(pair.y, dtype) == pair.y;
  });
}

class DTypeTrial {
 public:
  DTypeTrial(const Context& context, Finding& finding)
      : context_(context),
        trial_(context, finding),
        shape_(form_shape(context.plan)),
        map_(impl::affine(context.law(), context.config())) {}

  Fault wrong_dtype() {
    const impl::Tensor input = trial_.input(shape_);
    for (const bool training : {true, false}) {
      impl::Tensor given = input;
      const impl::TensorView result = trial_.call(given.view(), training);
      if (auto wrong = wrong_form(context_, shape_, result)) {
        return *wrong + option_of(result.dtype);
      }
    }
    return wrong_gradient(input);
  }

  Fault wrong_rounding() {
    const impl::Tensor input = trial_.input(shape_);
    const impl::Tensor base = trial_.base_of(input);
    LawReading reading(context_.law(), context_.config(), base);
    impl::Tensor given = input;
    const impl::TensorView result = trial_.call(given.view(), true);
    const auto breach = reading.judge(result);
    const std::vector<KeptPair> pairs = kept_pairs(reading, base, result);
    if (auto wrong = squeezed(pairs)) return wrong;
    if (breach) {
      const Fault scale = exact() ? narrow_scale(pairs) : std::nullopt;
      return scale ? scale : in_words(*breach, "rounds wrongly");
    }
    return exact() ? wrong_model(pairs) : std::nullopt;
  }

  /// Values near the largest, so that the result is still a number.
  Fault wrong_large() {
    const double largest_input = reach();
    return wrong_range("overflows near the largest values",
                       [&](double share) { return share * largest_input; });
  }

  /// Values below the smallest normal one, and results, too.
  Fault wrong_subnormal() {
    const double step = smallest_subnormal(dtype());
    const double most =
        std::floor(smallest_normal(dtype()) / step / std::max(map_.a, 1.0));
    if (most < 8 || map_.b != 0) return std::nullopt;
    return wrong_range("flushes subnormal values to zero", [&](double share) {
      return std::floor(share * most) * step;
    });
  }

  bool has_ranges() const { return context_.law().base == impl::Base::kInput; }

 private:
  DType dtype() const { return context_.config().dtype; }

  /// Whether the law gives every kept value up to its rounding.
  bool exact() const {
    return context_.law().base == impl::Base::kInput &&
           context_.law().factor == impl::Factor::kMask &&
           !impl::measures_scale(context_.law(), context_.config());
  }

  std::string option_of(DType got) const {
    return got == dtype() ? ""
                          : "; a subject that documents this declares option "
                            "dtype_is_kept = false";
  }

  Fault wrong_gradient(const impl::Tensor& input) {
    if (!context_.describe().backward || !context_.law().has_backward) {
      return std::nullopt;
    }
    impl::Tensor given = input;
    const auto layer = context_.subject().make(context_.config());
    const impl::Tensor gradient =
        copied(layer->forward({given.view(), true, 1}));
    try {
      const impl::TensorView result = layer->backward(gradient.view());
      if (result.dtype == dtype()) return std::nullopt;
      return fmt::format("its gradient is {} for {} input",
                         impl::name_of(result.dtype), impl::name_of(dtype()));
    } catch (const impl::NotSupported&) {
      return std::nullopt;
    }
  }

  std::vector<KeptPair> kept_pairs(const LawReading& reading,
                                   const impl::Tensor& base,
                                   const impl::TensorView& result) const {
    std::vector<KeptPair> pairs;
    const std::vector<double> values = values_of(result);
    const bool aligned = result.shape == base.shape();
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (reading.is_dropped(values[i]) || !std::isfinite(values[i])) continue;
      const auto element = static_cast<std::int64_t>(i);
      pairs.push_back({aligned ? base.view().value(element) : 0, values[i]});
    }
    return pairs;
  }

  /// No result of full precision has its last digits 0 everywhere.
  Fault squeezed(const std::vector<KeptPair>& pairs) const {
    if (pairs.size() < 8 || map_.a == 1) return std::nullopt;
    for (const DType narrow : narrower(dtype())) {
      // That many digits are all 0 by chance once in 2^64 times.
      const int digits =
          impl::significand_bits(dtype()) - impl::significand_bits(narrow);
      if (pairs.size() * static_cast<std::size_t>(digits) < 64) continue;
      // Powers of two keep a value that happens to be narrow: one attention
      // weight is 1.
      const bool input_too =
          std::all_of(pairs.begin(), pairs.end(), [&](const KeptPair& pair) {
            return impl::rounded(pair.x, narrow) == pair.x;
          });
      if (input_too || !all_in(narrow, pairs)) continue;
      return fmt::format(
          "computes in {} for {} input: all {} kept values have its precision, "
          "e.g. x = {:.17g} becomes {:.17g}",
          impl::name_of(narrow), impl::name_of(dtype()), pairs.size(),
          pairs.front().x, pairs.front().y);
    }
    return std::nullopt;
  }

  Fault wrong_model(const std::vector<KeptPair>& pairs) const {
    if (pairs.empty() || may_narrow_scale(context_.law(), dtype())) {
      return std::nullopt;
    }
    const auto model =
        find_value_model(context_.law(), context_.config(), pairs);
    if (model) return std::nullopt;
    if (auto wrong = narrow_scale(pairs)) return wrong;
    const double tolerant =
        value_tolerance(context_.law(), context_.config(), dtype()).tolerant;
    for (const KeptPair& pair : pairs) {
      const double due = map_.a * pair.x + map_.b;
      const double unit =
          step_at(std::abs(map_.a * pair.x) + std::abs(map_.b), dtype());
      if (std::abs(pair.y - due) <= tolerant * unit) continue;
      return fmt::format(
          "rounds wrongly: x = {:.9g} becomes {:.9g} where {:.9g} is due, "
          "{:.2g} units of the last place off",
          pair.x, pair.y, due, std::abs(pair.y - due) / unit);
    }
    return std::nullopt;
  }

  /// Whether the kept values are those of a scale with fewer digits.
  Fault narrow_scale(const std::vector<KeptPair>& pairs) const {
    if (map_.b != 0 || pairs.empty()) return std::nullopt;
    const double keep = 1 - context_.config().drop_probability;
    for (const DType narrow : narrower(dtype())) {
      for (const double scale :
           {impl::rounded(map_.a, narrow), 1 / impl::rounded(keep, narrow)}) {
        const bool all =
            std::all_of(pairs.begin(), pairs.end(), [&](const KeptPair& pair) {
              return impl::rounded(pair.x * scale, dtype()) == pair.y;
            });
        if (all) return narrow_scale_in_words(narrow, scale);
      }
    }
    return std::nullopt;
  }

  std::string narrow_scale_in_words(DType narrow, double scale) const {
    return fmt::format(
        "computes its scale in {} for {} input: {:.9g} instead of {:.9g}{}",
        impl::name_of(narrow), impl::name_of(dtype()), scale, map_.a,
        narrow == DType::kFloat32 ? "; a subject that documents this declares "
                                    "option scale_keeps_precision = false"
                                  : "");
  }

  /// The largest input whose result is surely a number.
  double reach() const {
    const impl::Law& law = context_.law();
    const double top = largest(dtype());
    if (impl::measures_scale(law, context_.config())) {
      return top / static_cast<double>(impl::element_count(shape_));
    }
    if (law.factor == impl::Factor::kNormal) {
      // A factor is above this with probability below 1e-32.
      return top / (1 + 12 * impl::noise_deviation(context_.config()));
    }
    const double slack = 1 - std::ldexp(8.0, -impl::significand_bits(dtype()));
    return std::min(top, top / map_.a) * slack - std::abs(map_.b);
  }

  /// Training and evaluation on values of one range: `value` of a share in
  /// [1/2, 1).
  template <class Value>
  Fault wrong_range(const char* name, const Value& value) {
    impl::Tensor input(dtype(), shape_);
    const std::uint64_t key =
        stream_seed(context_.experiment, Stream::kForms, ++ranges_ << 32U);
    for (std::int64_t i = 0; i < input.size(); ++i) {
      const std::uint64_t word =
          impl::keyed_word(key, static_cast<std::uint64_t>(i));
      const double share =
          0.5 + std::ldexp(static_cast<double>(word >> 12U), -53);
      const double x = value(share);
      input.view().set(i, (word & 1U) != 0 ? x : -x);
    }
    if (auto wrong = wrong_evaluation(name, input)) return wrong;
    return wrong_training(name, input);
  }

  Fault wrong_evaluation(const char* name, const impl::Tensor& input) {
    impl::Tensor given = input;
    const impl::TensorView result = trial_.call(given.view(), false);
    const std::int64_t at = first_difference(result, input.view());
    if (at < 0) return std::nullopt;
    return fmt::format("{} at evaluation: x = {:.7g} becomes {:.7g}", name,
                       input.view().value(at), result.value(at));
  }

  Fault wrong_training(const char* name, const impl::Tensor& input) {
    LawReading reading(context_.law(), context_.config(), input);
    const std::int64_t calls =
        trial_.surely_keeping_calls(units_of(context_, shape_), kMostCalls);
    for (std::int64_t k = 0; k < calls && reading.kept() == 0; ++k) {
      impl::Tensor given = input;
      const impl::TensorView result = trial_.call(given.view(), true);
      if (auto breach = reading.judge(result)) return in_words(*breach, name);
      if (auto infinite = infinite_result(name, input, result)) return infinite;
    }
    const double decisions =
        static_cast<double>(calls * units_of(context_, shape_));
    const bool sure = decisions * -std::log(context_.p0()) >= 60;
    if (reading.kept() > 0 || !sure) return std::nullopt;
    return fmt::format("{}: nothing is kept in {} calls on values like {:.4g}",
                       name, calls, input.view().value(0));
  }

  static Fault infinite_result(const char* name, const impl::Tensor& input,
                               const impl::TensorView& result) {
    for (std::int64_t i = 0; i < result.size(); ++i) {
      if (std::isfinite(result.value(i))) continue;
      return fmt::format("{}: x = {:.7g} becomes {:.7g}", name,
                         input.view().value(i), result.value(i));
    }
    return std::nullopt;
  }

  std::string in_words(const Breach& breach, const char* name) const {
    return fmt::format("{} in {}: {} {}", name, impl::name_of(dtype()),
                       place_of(breach.element, shape_), breach.what);
  }

  const Context& context_;
  FormTrial trial_;
  impl::Shape shape_;
  impl::Affine map_;
  std::uint64_t ranges_ = 0;
};

Fault wrong_dtype(const Context& context, DTypeTrial& trial) {
  try {
    if (auto wrong = trial.wrong_dtype()) return wrong;
    if (auto wrong = trial.wrong_rounding()) return wrong;
    if (!trial.has_ranges()) return std::nullopt;
    if (auto wrong = trial.wrong_large()) return wrong;
    return trial.wrong_subnormal();
  } catch (const impl::LayerError& error) {
    return fmt::format("refuses {} input: {}",
                       impl::name_of(context.config().dtype), error.what());
  }
}

}  // namespace

static Finding check_dtype(const Context& context) {
  Finding finding = start_finding(context, "dtype");
  if (!context.law().options.dtype_is_kept) {
    finding.verdict = Verdict::kNotSupported;
    finding.sentence = "the subject declares dtype_is_kept = false";
    return finding;
  }
  DTypeTrial trial(context, finding);
  if (const auto wrong = wrong_dtype(context, trial)) {
    refute(finding, *wrong);
    return finding;
  }
  const std::string_view name = impl::name_of(context.config().dtype);
  certify(
      finding,
      fmt::format("{} results for {} input, rounded in its precision", name,
                  name),
      fmt::format(
          "on {} values in {} calls{}", finding.n, finding.calls,
          trial.has_ranges()
              ? ", near the largest and below the smallest normal value, too"
              : ""));
  return finding;
}

namespace {

void plan_dtype(const PlannedConfiguration& planned, const Settings&, double,
                PlannedCheck& check) {
  if (!planned.generated) return;
  const impl::Shape shape = form_shape(planned);
  const double calls = calls_that_keep(planned, shape);
  if (calls > static_cast<double>(kMostCalls)) {
    check.undecidable = "too high a drop probability to see a kept value";
  }
  check.elements = (8 + 2 * calls) * output_elements(planned, shape);
}

}  // namespace

constinit const CheckDefinition dtype_check{
    .info = {"dtype", Evidence::kDeterministic,
             "results and gradients keep the dtype, its precision and range",
             "The dtype of results and gradients, the rounding of kept values "
             "(STATISTICS 2.c F2) and of the scale, values near the largest "
             "one whose result is still a number, and subnormal ones.",
             "False alarm: none, but for events below e^-60: that nothing is "
             "kept in all calls, that noise exceeds 12 deviations. False pass: "
             "what is not among the cases listed in the finding.",
             "faulty:bf16_through_f16"},
    .from_calls = check_dtype,
    .reads_masks = false,
    .takes_chance = false,
    .before_reading = true,
    .left_out = not_first_probability,
    .plan = plan_dtype};

}  // namespace dropcheck::properties
