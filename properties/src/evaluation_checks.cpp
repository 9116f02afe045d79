// eval_identity and in_place: checks of single values.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "check_definition.hpp"
#include "context.hpp"
#include "evaluation_words.hpp"
#include "option_words.hpp"
#include "oracle_input.hpp"
#include "shapes.hpp"
#include "value_comparison.hpp"

namespace dropcheck::properties {
namespace {

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
  std::string sentence = fmt::format(
      "is not {} at evaluation{}: {} is {:.7g} where {:.7g} is due",
      identity ? "the identity" : "the same function", when,
      place_of(at, result.shape), result.value(at), expected.view().value(at));
  if (const auto cause =
          cause_of_evaluation(context, layer, input, copied(result))) {
    sentence += ": " + *cause;
  }
  return sentence;
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
  // Calls are made one by one, so few elements do not make them cheap.
  const std::int64_t elements = std::int64_t{1}
                                << (context.plan.generated ? 15 : 24);
  const std::int64_t least = context.plan.generated ? 64 : 1;
  return surely_dropping_calls(context) <=
         elements / std::max(least, context.inputs.base.size());
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

static Finding check_eval_identity(const Context& context) {
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
             "drops nothing in training once it has been evaluated: the mode "
             "sticks");
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

/// Whether the memory of an evaluation's result is that which is declared.
static std::optional<std::string> wrong_evaluation_memory(
    impl::EvaluationReturn declared, bool alias) {
  if (alias && declared == impl::EvaluationReturn::kCopy) {
    return "returns its input's memory at evaluation, so that who changes the "
           "result changes the input" +
           needs_option({"evaluation_return = alias"});
  }
  if (!alias && declared == impl::EvaluationReturn::kAlias) {
    return "returns a copy at evaluation, where the subject declares its "
           "input's memory" +
           needs_option({"evaluation_return = copy"});
  }
  return std::nullopt;
}

static Finding check_in_place(const Context& context) {
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
      refute(finding, fmt::format("changes its input {} though not in place: "
                                  "{} was {:.7g} and is {:.7g}",
                                  mode, place_of(changed, before.shape()),
                                  before.view().value(changed),
                                  input.view().value(changed)));
      return finding;
    }
    if (!in_place && training && result.data == input.view().data) {
      refute(finding,
             "returns its input's memory in training though not in place");
      return finding;
    }
    if (!in_place && !training) {
      if (const auto wrong =
              wrong_evaluation_memory(context.law().options.evaluation_return,
                                      result.data == input.view().data)) {
        refute(finding, *wrong);
        return finding;
      }
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

constinit const CheckDefinition eval_identity_check{
    .info = {"eval_identity", Evidence::kDeterministic,
             "evaluation is the identity, and training drops again afterwards",
             "Bit for bit on values with zeros of both signs, NaN, infinities "
             "and subnormals, before and after training calls. Attention and "
             "drop_connect must be the same function at every evaluation.",
             kNoChance, "faulty:active_at_eval"},
    .from_calls = check_eval_identity,
    .needs_rate = false,
    .reads_masks = false,
    .takes_chance = false};

constinit const CheckDefinition in_place_check{
    .info =
        {"in_place", Evidence::kDeterministic,
         "in place replaces the input; otherwise the input stays",
         "Memory and values of input and result are compared after a training "
         "and an evaluation call. At evaluation a subject may declare that it "
         "returns its input's memory (evaluation_return = alias).",
         kNoChance, "faulty:in_place_ignored"},
    .from_calls = check_in_place,
    .reads_masks = false,
    .takes_chance = false};

}  // namespace dropcheck::properties
