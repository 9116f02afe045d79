#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <optional>

#include "check_definition.hpp"
#include "context.hpp"
#include "dropcheck/impl/block_law.hpp"
#include "dtype_limits.hpp"
#include "gradient_words.hpp"
#include "oracle_input.hpp"
#include "shapes.hpp"
#include "value_comparison.hpp"

namespace dropcheck::properties {
namespace {

struct GradientCase {
  impl::Tensor input;
  impl::Tensor output;
  impl::Tensor grad_output;
  impl::Tensor grad_input;
};

GradientCase run_backward(impl::Layer& layer, impl::Tensor input,
                          impl::Tensor grad_output) {
  GradientCase result;
  result.input = input;
  result.output = copied(layer.forward({input.view(), true, 1}));
  require_result(result.output.view(), grad_output.shape(), input.dtype());
  result.grad_output = std::move(grad_output);
  result.grad_input = copied(layer.backward(result.grad_output.view()));
  require_result(result.grad_input.view(), input.shape(), input.dtype());
  return result;
}

impl::Tensor make_gradient(const Context& context, const impl::Shape& shape) {
  return make_input(*impl::find_law("dropout"), context.config(), shape,
                    stream_seed(context.experiment, Stream::kBackward, 1));
}

/// What each entry of the gradient must be multiplied by, as the forward call
/// shows it: the law's slope where it kept and 0 where it dropped; y / x where
/// the multiplier is another one in every call.
std::vector<double> slopes_of(const Context& context, const GradientCase& run) {
  const double slope = impl::affine(context.law(), context.config()).a;
  const bool fixed = context.law().factor == impl::Factor::kMask &&
                     !impl::measures_scale(context.law(), context.config());
  const double dropped = context.reader->dropped_value();
  std::vector<double> slopes;
  const impl::TensorView input = run.input.view();
  const impl::TensorView output = run.output.view();
  for (std::int64_t i = 0; i < run.output.size(); ++i) {
    const double y = output.value(i);
    slopes.push_back(!fixed ? y / input.value(i) : y == dropped ? 0 : slope);
  }
  return slopes;
}

/// This call and some more of the same layer, for the words.
Gradients more_gradients(const Context& context, impl::Layer& layer,
                         const GradientCase& run,
                         const std::vector<double>& slopes) {
  Gradients gradients;
  const auto add = [&](const GradientCase& one,
                       const std::vector<double>& due) {
    auto& entries = gradients.calls.emplace_back();
    const impl::TensorView grad = one.grad_input.view();
    const impl::TensorView grad_output = one.grad_output.view();
    for (std::int64_t i = 0; i < grad.size(); ++i) {
      entries.push_back({grad.value(i) / grad_output.value(i),
                         due[static_cast<std::size_t>(i)]});
    }
  };
  add(run, slopes);
  const impl::Shape& shape = run.output.shape();
  gradients.row = shape.empty() ? 1 : shape.back();
  const auto units =
      impl::unit_of_element(context.law(), context.config(), shape);
  std::vector<bool> seen;
  for (std::size_t i = 0; i < units.size(); ++i) {
    if (units[i] == impl::kNoUnit) continue;
    if (units[i] >= seen.size()) seen.resize(units[i] + 1);
    if (!seen[units[i]]) gradients.units.push_back(i);
    seen[units[i]] = true;
  }
  constexpr std::size_t kUnits = 1000;
  constexpr std::size_t kCalls = 256;
  const auto wanted = std::min(
      kCalls, kUnits / std::max<std::size_t>(1, gradients.units.size()));
  try {
    while (gradients.calls.size() < wanted) {
      const GradientCase more = run_backward(layer, run.input, run.grad_output);
      add(more, slopes_of(context, more));
    }
  } catch (const std::exception&) {
    // The calls that there are must do.
  }
  return gradients;
}

/// Where noise multiplies: whether the gradient is multiplied by any.
std::string another_noise(const GradientCase& run,
                          const std::vector<double>& slopes) {
  const impl::TensorView grad = run.grad_input.view();
  const impl::TensorView grad_output = run.grad_output.view();
  double spread = 0;
  double common = 0;
  double own = 0;
  for (std::int64_t i = 0; i < grad.size(); ++i) {
    const double seen = grad.value(i) / grad_output.value(i) - 1;
    const double due = slopes[static_cast<std::size_t>(i)] - 1;
    spread += seen * seen;
    common += seen * due;
    own += due * due;
  }
  if (spread < 1e-6 * own) return ": the gradient passes without the noise";
  if (common * common < 0.1 * spread * own) {
    return ": it is multiplied by other noise, as if that were drawn anew";
  }
  return "";
}

/// Compares a gradient with slope * grad_output.
std::optional<std::string> wrong_gradient(const Context& context,
                                          const GradientCase& run,
                                          const std::vector<double>& slopes,
                                          const std::string& where,
                                          impl::Layer& layer) {
  const impl::DType dtype = context.config().dtype;
  const double units = std::max(
      4.0, 2 + value_tolerance(context.law(), context.config(), dtype).slope);
  const double unit =
      units * std::ldexp(1.0, -impl::significand_bits(dtype) + 1);
  const bool noisy = context.law().factor == impl::Factor::kNormal;
  const double least = smallest_subnormal(dtype);
  std::int64_t crossed = 0;
  std::int64_t scaled = 0;
  std::int64_t first = -1;
  const impl::TensorView grad = run.grad_input.view();
  const impl::TensorView grad_output = run.grad_output.view();
  const impl::TensorView input = run.input.view();
  const std::int64_t size = grad.size();
  for (std::int64_t i = 0; i < size; ++i) {
    const double due =
        slopes[static_cast<std::size_t>(i)] * grad_output.value(i);
    const double seen = grad.value(i);
    const double x = input.value(i);
    // Where slopes are read off small results, those may be subnormal.
    const double off =
        noisy ? least * (1 + std::abs(grad_output.value(i) / x)) : 0;
    if (std::abs(seen - due) <= unit * std::abs(due) + off) continue;
    if (first < 0) first = i;
    if ((seen == 0) != (due == 0)) {
      ++crossed;
    } else {
      ++scaled;
    }
  }
  if (first < 0) return std::nullopt;
  if (crossed > 0) {
    return fmt::format(
        "the gradient does not use the forward mask{}: {} of {} entries are "
        "dropped in one and kept in the other: {}",
        where, crossed, grad.size(),
        where.empty()
            ? cause_of_crossed(more_gradients(context, layer, run, slopes))
            : "the mask is taken from the output, where a kept 0 "
              "looks dropped");
  }
  // A call that drops nothing shows no mask: others may.
  if (!noisy && where.empty() &&
      std::find(slopes.begin(), slopes.end(), 0.0) == slopes.end()) {
    const Gradients more = more_gradients(context, layer, run, slopes);
    if (any_crossed(more)) {
      return "the gradient does not use the forward mask: " +
             cause_of_crossed(more);
    }
  }
  const GradientEntry entry{grad.value(first) / grad_output.value(first),
                            slopes[static_cast<std::size_t>(first)]};
  const auto cause =
      noisy ? std::optional<std::string>()
            : cause_of_slope(impl::affine(context.law(), context.config()),
                             context.config().drop_probability, entry,
                             std::max(2 * unit, 1e-6));
  return fmt::format(
      "the gradient of a kept unit is {:.6g} times the incoming one, not "
      "{:.6g}{} ({} entries){}{}",
      entry.seen, entry.due, where, scaled, cause ? ": " : "",
      noisy ? another_noise(run, slopes) : cause.value_or(""));
}

/// Whether two calls gave the same where both had the same input: every odd
/// element.
bool same_mask(const GradientCase& read, const GradientCase& blind) {
  const impl::TensorView first = read.output.view();
  const impl::TensorView second = blind.output.view();
  for (std::int64_t i = 1; i < read.output.size(); i += 2) {
    if (first.value(i) != second.value(i)) {
      return false;
    }
  }
  return true;
}

/// A shape and how often a gradient of it is compared.
struct GradientShape {
  impl::Shape shape;
  int rounds = 8;
};

/// Small ones, and once the one of the statistical calls: a backward pass may
/// end after so many elements.
std::vector<GradientShape> gradient_shapes(const PlannedConfiguration& plan) {
  std::vector<GradientShape> shapes;
  for (const impl::Shape& shape : structure_shapes(plan)) {
    shapes.push_back({shape});
  }
  shapes.push_back({plan.shape, 1});
  return shapes;
}

std::optional<std::string> wrong_masked_gradient(const Context& context,
                                                 Finding& finding) {
  for (const auto& [shape, rounds] : gradient_shapes(context.plan)) {
    Experiment experiment = context.experiment;
    experiment.shape = shape;
    const Inputs inputs = make_inputs(context.subject(), experiment);
    const auto layer = context.subject().make(context.config());
    const std::uint64_t seed = stream_seed(experiment, Stream::kBackward);
    for (int round = 0; round < rounds; ++round) {
      if (context.describe().reseed) {
        layer->reseed(seed + static_cast<std::uint64_t>(round));
      }
      const GradientCase run = run_backward(
          *layer, inputs.input, make_gradient(context, inputs.base.shape()));
      ++finding.calls;
      finding.n += static_cast<std::uint64_t>(run.grad_input.size());
      const std::vector<double> slopes = slopes_of(context, run);
      if (auto wrong = wrong_gradient(context, run, slopes, "", *layer))
        return wrong;
      if (!context.describe().reseed) continue;
      // The same mask on zeros: whoever reads the mask off the output fails.
      impl::Tensor zeros = inputs.input;
      const impl::TensorView view = zeros.view();
      for (std::int64_t i = 0; i < zeros.size(); i += 2) view.set(i, 0);
      layer->reseed(seed + static_cast<std::uint64_t>(round));
      const GradientCase blind = run_backward(*layer, zeros, run.grad_output);
      if (!same_mask(run, blind)) continue;  // Seeding will tell.
      if (auto wrong = wrong_gradient(context, blind, slopes,
                                      " where the input is 0", *layer)) {
        return wrong;
      }
    }
  }
  return std::nullopt;
}

double dot(const impl::Tensor& a, const impl::Tensor& b) {
  double sum = 0;
  const impl::TensorView left = a.view();
  const impl::TensorView right = b.view();
  for (std::int64_t i = 0; i < a.size(); ++i) {
    sum += left.value(i) * right.value(i);
  }
  return sum;
}

/// For a layer around the mask (softmax): the derivative along a random
/// direction, by differences of two calls with one seed.
std::optional<std::string> wrong_directional_gradient(const Context& context,
                                                      Finding& finding) {
  const impl::DType dtype = context.config().dtype;
  const double step = dtype == impl::DType::kFloat64 ? 1e-5 : 2e-2;
  const double tolerance = dtype == impl::DType::kFloat64 ? 1e-6 : 5e-3;
  Experiment experiment = context.experiment;
  experiment.shape = structure_shapes(context.plan).front();
  const Inputs inputs = make_inputs(context.subject(), experiment);
  const auto layer = context.subject().make(context.config());
  const impl::Tensor grad = make_gradient(context, inputs.base.shape());
  for (std::uint64_t round = 0; round < 8; ++round) {
    const std::uint64_t seed =
        stream_seed(experiment, Stream::kBackward, 10 + round);
    const impl::Tensor direction =
        make_normal(dtype, inputs.input.shape(), seed);
    const auto moved = [&](double sign) {
      impl::Tensor input = inputs.input;
      for (std::int64_t i = 0; i < input.size(); ++i) {
        input.view().set(i, inputs.input.view().value(i) +
                                sign * step * direction.view().value(i));
      }
      layer->reseed(seed);
      const impl::TensorView result = layer->forward({input.view(), true, 1});
      require_result(result, grad.shape(), dtype);
      return dot(copied(result), grad);
    };
    const double due = (moved(1) - moved(-1)) / (2 * step);
    layer->reseed(seed);
    const GradientCase run = run_backward(*layer, inputs.input, grad);
    ++finding.calls;
    finding.n += static_cast<std::uint64_t>(run.grad_input.size());
    const double seen = dot(run.grad_input, direction);
    const double scale = std::sqrt(dot(run.grad_input, run.grad_input) *
                                   dot(direction, direction));
    if (std::abs(seen - due) > tolerance * std::max(scale, std::abs(due))) {
      return fmt::format(
          "the gradient is not that of the forward call with its mask: "
          "derivative {:.6g} along a direction where the function changes by "
          "{:.6g}",
          seen, due);
    }
  }
  return std::nullopt;
}

}  // namespace

static Finding check_backward_mask(const Context& context) {
  Finding finding = start_finding(context, "backward_mask");
  const impl::Description& subject = context.describe();
  const bool around = context.law().base == impl::Base::kEvaluation;
  if (!subject.backward || (around && !subject.reseed)) {
    finding.verdict = Verdict::kNotSupported;
    finding.sentence = subject.backward
                           ? "needs a subject that can be reseeded"
                           : "the subject declares no backward pass";
    return finding;
  }
  const auto wrong = around ? wrong_directional_gradient(context, finding)
                            : wrong_masked_gradient(context, finding);
  if (wrong) {
    refute(finding, *wrong);
  } else {
    certify(finding, "the gradient uses the forward mask and scale",
            fmt::format("in {} calls{}", finding.calls,
                        around ? ", by directional derivatives"
                               : ", with zeros among the inputs, of up to " +
                                     impl::to_string(context.plan.shape) +
                                     " elements"));
  }
  return finding;
}

namespace {

std::string_view no_backward(const impl::Law& law) {
  return law.has_backward ? "" : "the law has no backward pass";
}

/// Gradients around a softmax are compared with differences of results, which
/// 16 bits do not resolve.
std::string_view by_differences(const PlannedConfiguration& planned,
                                const Occasion&) {
  const bool hidden = planned.law->base == impl::Base::kEvaluation &&
                      impl::size_of(planned.config.dtype) < sizeof(float);
  return hidden ? "16 bits do not resolve differences of results" : "";
}

}  // namespace

namespace {

/// Eight rounds of two calls and their gradients, each with an input too.
void plan_backward(const PlannedConfiguration& planned, const Settings&, double,
                   PlannedCheck& check) {
  for (const impl::Shape& shape : structure_shapes(planned)) {
    check.elements +=
        8 * 2 * 4 *
        static_cast<double>(impl::element_count(
            impl::output_shape(*planned.law, planned.config, shape)));
  }
}

}  // namespace

constinit const CheckDefinition backward_mask_check{
    .info = {"backward_mask", Evidence::kDeterministic,
             "the gradient uses the forward mask and scale",
             "Every entry of the gradient is compared with slope * incoming "
             "where the forward call kept and with 0 where it dropped, also "
             "where the input is 0. For attention and drop_connect: "
             "derivatives along random directions, by two calls with one seed.",
             kNoChance, "faulty:backward_new_mask"},
    .from_calls = check_backward_mask,
    .takes_chance = false,
    .not_applicable = no_backward,
    .left_out = by_differences,
    .plan = plan_backward};

}  // namespace dropcheck::properties
