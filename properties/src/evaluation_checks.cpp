// eval_identity, in_place and edge_probabilities: checks of single values.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "deterministic_checks.hpp"
#include "oracle_input.hpp"
#include "shapes.hpp"

namespace dropcheck::properties {
namespace {

bool same_value(double a, double b) {
  return (std::isnan(a) && std::isnan(b)) ||
         (a == b && std::signbit(a) == std::signbit(b));
}

/// First element of `view` that differs from `expected`, or -1.
std::int64_t first_difference(const impl::TensorView& view,
                              const impl::TensorView& expected) {
  const std::size_t bytes =
      static_cast<std::size_t>(expected.size()) * impl::size_of(expected.dtype);
  if (view.compact() && expected.compact() &&
      std::memcmp(view.data, expected.data, bytes) == 0) {
    return -1;
  }
  for (std::int64_t i = 0; i < expected.size(); ++i) {
    if (!same_value(view.value(i), expected.value(i))) return i;
  }
  return -1;
}

/// The oracle's input with some zeros of both signs, NaN, infinities and
/// subnormals among its values.
impl::Tensor special_input(const Context& context, const impl::Shape& shape) {
  impl::Tensor input =
      make_input(context.law(), context.config(), shape,
                 stream_seed(context.experiment, Stream::kEvaluation));
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const std::array<double, 7> values{
      0.0,       -0.0,       std::numeric_limits<double>::quiet_NaN(),
      kInfinity, -kInfinity, 1e-40,
      -65504};
  const impl::TensorView view = input.view();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto place = static_cast<std::int64_t>(3 * i + 1);
    if (place < view.size()) view.set(place, values[i]);
  }
  return input;
}

impl::TensorView evaluate(impl::Layer& layer, impl::Tensor& input) {
  return layer.forward({input.view(), false, 1});
}

/// At evaluation the layer must be a plain function; for Base::kInput the
/// identity. Returns the sentence of what is wrong.
std::optional<std::string> wrong_evaluation(const Context& context,
                                            impl::Layer& layer,
                                            impl::Tensor& input,
                                            const impl::Tensor& expected,
                                            const char* when) {
  const impl::TensorView result = evaluate(layer, input);
  if (result.shape != expected.shape() || result.dtype != expected.dtype()) {
    return fmt::format(
        "returns {} {} at evaluation where {} {} is due",
        impl::name_of(result.dtype), impl::to_string(result.shape),
        impl::name_of(expected.dtype()), impl::to_string(expected.shape()));
  }
  const std::int64_t at = first_difference(result, expected.view());
  if (at < 0) return std::nullopt;
  const bool identity = context.law().base == impl::Base::kInput;
  return fmt::format(
      "is not {} at evaluation{}: {} is {:.7g} where {:.7g} is due",
      identity ? "the identity" : "the same function", when,
      place_of(at, result.shape), result.value(at), expected.view().value(at));
}

/// Throws LayerError unless this is a result for an input of `shape`.
void require_result_for(const Context& context, const impl::Shape& shape,
                        const impl::TensorView& result) {
  require_result(result,
                 impl::output_shape(context.law(), context.config(), shape),
                 context.config().dtype);
}

impl::Tensor copied(const impl::TensorView& view) {
  impl::Tensor tensor(view.dtype, view.shape);
  impl::copy(view, tensor.view());
  return tensor;
}

/// Calls of which a right layer makes one without a drop with probability at
/// most e^-45.
std::int64_t surely_dropping_calls(const Context& context) {
  const double per_call = -std::log1p(-context.p0()) *
                          static_cast<double>(context.plan.units_per_call);
  return static_cast<std::int64_t>(std::ceil(45 / std::max(per_call, 1e-15)));
}

/// Not at drop probabilities at which that would take too many calls.
bool can_tell_that_nothing_drops(const Context& context) {
  constexpr std::int64_t kMostElements = std::int64_t{1} << 24;
  return surely_dropping_calls(context) <=
         kMostElements / std::max<std::int64_t>(1, context.inputs.base.size());
}

/// Whether one of that many training calls drops anything.
bool drops_something(const Context& context, impl::Layer& layer) {
  const impl::Shape shape = context.inputs.base.shape();
  Caller caller(layer, context.inputs.input);
  std::vector<std::uint64_t> words(context.reader->size() / 64 + 1);
  const std::int64_t calls = surely_dropping_calls(context);
  for (std::int64_t call = 0; call < calls; ++call) {
    const impl::TensorView result = caller.stacked(shape, 1);
    context.reader->read(result.data, words.data());
    if (popcount(words.data(), words.size()) > 0) return true;
  }
  return false;
}

}  // namespace

Finding check_eval_identity(const Context& context) {
  Finding finding = start_finding(context, "eval_identity");
  const bool identity = context.law().base == impl::Base::kInput;
  for (const impl::Shape& shape : structure_shapes(context.plan)) {
    impl::Tensor input =
        identity
            ? special_input(context, shape)
            : make_input(context.law(), context.config(), shape,
                         stream_seed(context.experiment, Stream::kEvaluation));
    const auto layer = context.subject().make(context.config());
    const impl::Tensor expected =
        identity ? input : copied(evaluate(*layer, input));
    for (const char* when :
         {"", " after a training call", " when called again"}) {
      if (const auto wrong =
              wrong_evaluation(context, *layer, input, expected, when)) {
        refute(finding, *wrong);
        return finding;
      }
      ++finding.calls;
      finding.n += static_cast<std::uint64_t>(input.size());
      if (*when == '\0') {
        impl::Tensor scratch = input;
        layer->forward({scratch.view(), true, 1});
      }
    }
  }
  // Nothing of evaluation may stick: training afterwards drops again. (There
  // is no reader where the drop probability is 0 or 1.)
  const auto layer = context.subject().make(context.config());
  if (context.reader && can_tell_that_nothing_drops(context) &&
      drops_something(context, *layer)) {
    impl::Tensor input = context.inputs.input;
    evaluate(*layer, input);
    if (!drops_something(context, *layer)) {
      refute(finding,
             "drops nothing in training once it has been evaluated: "
             "the mode sticks");
      return finding;
    }
  }
  certify(finding,
          identity ? "the identity at evaluation, bit for bit"
                   : "the same function at every evaluation",
          fmt::format("on {} values, with zeros of both signs, NaN, infinities "
                      "and subnormals, before and after training calls",
                      finding.n));
  return finding;
}

Finding check_in_place(const Context& context) {
  Finding finding = start_finding(context, "in_place");
  const bool in_place = context.config().in_place;
  for (const bool training : {true, false}) {
    const auto layer = context.subject().make(context.config());
    impl::Tensor input = context.inputs.input;
    const impl::Tensor before = input;
    const impl::TensorView result = layer->forward({input.view(), training, 1});
    require_result_for(context, input.shape(), result);
    ++finding.calls;
    finding.n += static_cast<std::uint64_t>(result.size());
    const char* mode = training ? "in training" : "at evaluation";
    const std::int64_t changed = first_difference(input.view(), before.view());
    if (!in_place && changed >= 0) {
      refute(finding,
             fmt::format("changes its input {} though not in place: {} "
                         "was {:.7g} and is {:.7g}",
                         mode, place_of(changed, before.shape()),
                         before.view().value(changed),
                         input.view().value(changed)));
      return finding;
    }
    if (!in_place && training && result.data == input.view().data) {
      refute(finding,
             "returns its input's memory in training though not in "
             "place");
      return finding;
    }
    if (in_place && first_difference(input.view(), result) >= 0) {
      refute(finding, fmt::format("leaves its input as it was {} though in "
                                  "place: the result is a copy",
                                  mode));
      return finding;
    }
    if (in_place && training && result.data != input.view().data) {
      refute(finding, "returns other memory than its input's though in place");
      return finding;
    }
  }
  certify(
      finding,
      in_place ? "the result replaces the input" : "the input stays as it was",
      fmt::format("in {} calls, in training and at evaluation", finding.calls));
  return finding;
}

namespace {

enum class Answer { kResult, kRefused };

struct EdgeCase {
  double p;
  std::string name;
};

/// Calls the layer at a drop probability; kRefused if it says no.
Answer call_at(const Context& context, double p, impl::Tensor& input,
               impl::Tensor& output) {
  impl::LayerConfig config = context.config();
  config.drop_probability = p;
  config.in_place = false;
  try {
    const auto layer = context.subject().make(config);
    output = copied(layer->forward({input.view(), true, 1}));
  } catch (const impl::LayerError&) {
    return Answer::kRefused;
  }
  require_result_for(context, input.shape(), output.view());
  return Answer::kResult;
}

impl::Tensor edge_input(const Context& context) {
  return make_input(context.law(), context.config(), context.plan.shape,
                    stream_seed(context.experiment, Stream::kEdges));
}

std::optional<std::string> wrong_beyond_ends(const Context& context,
                                             Finding& finding) {
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double p : {-0.1, 1.5, std::nan(""), infinity, -1e-9, 1 + 1e-9}) {
    impl::Tensor input = edge_input(context);
    impl::Tensor output;
    ++finding.calls;
    if (call_at(context, p, input, output) == Answer::kResult) {
      return fmt::format("accepts the drop probability {} without an error", p);
    }
  }
  return std::nullopt;
}

/// What the layer returns where nothing is dropped.
impl::Tensor undropped(const Context& context, impl::Tensor& input) {
  if (context.law().base == impl::Base::kInput) return input;
  const auto layer = context.subject().make(context.config());
  const impl::TensorView result = evaluate(*layer, input);
  require_result_for(context, input.shape(), result);
  return copied(result);
}

std::optional<std::string> wrong_at_zero(const Context& context,
                                         Finding& finding) {
  for (const double p : {0.0, 1e-300}) {
    impl::Tensor input = edge_input(context);
    const impl::Tensor expected = undropped(context, input);
    std::int64_t wrong = 0;
    std::int64_t first = -1;
    std::int64_t read = 0;
    double value = 0;
    for (int call = 0; call < 16; ++call) {
      impl::Tensor output;
      ++finding.calls;
      if (call_at(context, p, input, output) == Answer::kRefused) {
        return fmt::format("refuses the drop probability {}", p);
      }
      read += output.size();
      const std::int64_t at = first_difference(output.view(), expected.view());
      if (at < 0) continue;
      ++wrong;
      if (first < 0) value = output.view().value(at);
      if (first < 0) first = at;
    }
    finding.n += static_cast<std::uint64_t>(read);
    if (wrong > 0) {
      return fmt::format(
          "is not the identity at drop probability {}: {} of x = "
          "{:.7g} becomes {:.7g} ({} of 16 calls)",
          p, place_of(first, expected.shape()), expected.view().value(first),
          value, wrong);
    }
  }
  return std::nullopt;
}

std::optional<std::string> wrong_at_one(const Context& context,
                                        Finding& finding) {
  const impl::AtOne declared = context.law().options.at_one;
  impl::Tensor input = edge_input(context);
  for (int call = 0; call < 16; ++call) {
    impl::Tensor output;
    ++finding.calls;
    if (call_at(context, 1.0, input, output) == Answer::kRefused) {
      if (declared == impl::AtOne::kZeros) {
        return "refuses the drop probability 1";
      }
      return std::nullopt;
    }
    if (declared == impl::AtOne::kError) {
      return "accepts the drop probability 1, which the contract excludes";
    }
    finding.n += static_cast<std::uint64_t>(output.size());
    for (std::int64_t i = 0; i < output.size(); ++i) {
      const double y = output.view().value(i);
      if (y == 0) continue;
      return fmt::format(
          "returns {:.7g} at drop probability 1, where all must "
          "be 0 ({})",
          y, place_of(i, output.shape()));
    }
  }
  return std::nullopt;
}

std::optional<std::string> wrong_near_one(const Context& context,
                                          Finding& finding) {
  const double p = 1 - std::ldexp(1.0, -53);
  impl::Tensor input = edge_input(context);
  impl::Tensor output;
  ++finding.calls;
  if (call_at(context, p, input, output) == Answer::kRefused) {
    return "refuses the drop probability 1 - 2^-53";
  }
  for (std::int64_t i = 0; i < output.size(); ++i) {
    if (std::isnan(output.view().value(i))) {
      return fmt::format("returns NaN at drop probability 1 - 2^-53 ({})",
                         place_of(i, output.shape()));
    }
  }
  return std::nullopt;
}

}  // namespace

Finding check_edge_probabilities(const Context& context) {
  Finding finding = start_finding(context, "edge_probabilities");
  std::string faults;
  for (const auto check :
       {wrong_beyond_ends, wrong_at_zero, wrong_at_one, wrong_near_one}) {
    if (const auto wrong = check(context, finding)) {
      faults += (faults.empty() ? "" : "; ") + *wrong;
    }
  }
  if (!faults.empty()) {
    refute(finding, faults);
    return finding;
  }
  certify(
      finding,
      "identity at 0, zeros or an error at 1, an error beyond and for NaN",
      fmt::format("in {} calls at p = -0.1, -1e-9, 0, 1e-300, 1 - 2^-53, 1, "
                  "1 + 1e-9, 1.5, infinity and NaN",
                  finding.calls));
  return finding;
}

}  // namespace dropcheck::properties
