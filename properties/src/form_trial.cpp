#include "form_trial.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "dropcheck/impl/random_stream.hpp"
#include "oracle_input.hpp"
#include "shapes.hpp"
#include "value_comparison.hpp"

namespace dropcheck::properties {
namespace {

impl::Shape without_ones(impl::Shape shape) {
  std::erase(shape, 1);
  return shape;
}

/// What became of the shape, where that has a name.
std::string shape_change(const impl::Shape& due, const impl::Shape& got) {
  if (got.size() + 1 == due.size() &&
      std::equal(got.begin(), got.end(), due.begin())) {
    return ": it drops the last axis";
  }
  if (got == without_ones(due)) return ": it drops axes of extent one";
  if (got.size() == due.size() + 1 &&
      std::equal(due.begin(), due.end(), got.begin() + 1)) {
    return ": it adds an axis before the others";
  }
  impl::Shape sorted = due;
  impl::Shape other = got;
  std::sort(sorted.begin(), sorted.end());
  std::sort(other.begin(), other.end());
  return sorted == other ? ": it exchanges axes" : "";
}

}  // namespace

FormTrial::FormTrial(const Context& context, Finding& finding)
    : context_(context),
      finding_(finding),
      layer_(context.subject().make(context.config())) {
  if (context.describe().reseed) {
    layer_->reseed(stream_seed(context.experiment, Stream::kForms));
  }
}

impl::Tensor FormTrial::input(const impl::Shape& shape) {
  const std::uint64_t key =
      stream_seed(context_.experiment, Stream::kForms, ++inputs_);
  impl::Tensor input =
      make_input(context_.law(), context_.config(), shape, key);
  if (context_.law().factor != impl::Factor::kNormal) return input;
  // The first element is no zero: where a stride of 0 repeats it, it is all
  // that shows the noise.
  for (std::int64_t i = 1; i < input.size(); ++i) {
    const auto index = static_cast<std::uint64_t>(i);
    if ((impl::keyed_word(key, index, 1) >> 63U) != 0) input.view().set(i, 0);
  }
  return input;
}

impl::TensorView FormTrial::call(const impl::TensorView& input, bool training,
                                 std::int64_t repeat) {
  const impl::TensorView result = layer_->forward({input, training, repeat});
  finding_.calls += static_cast<std::uint64_t>(repeat);
  finding_.n += static_cast<std::uint64_t>(result.size());
  return result;
}

impl::Tensor FormTrial::base_of(const impl::Tensor& values) {
  if (context_.law().base == impl::Base::kInput) return values;
  impl::Tensor input = values;
  const impl::TensorView result = call(input.view(), false);
  require_result_for(context_, values.shape(), result);
  return copied(result);
}

std::int64_t FormTrial::surely_keeping_calls(std::int64_t units,
                                             std::int64_t most) const {
  const double per_call = -std::log(context_.p0()) *
                          static_cast<double>(std::max<std::int64_t>(units, 1));
  const double calls = std::ceil(60 / std::max(per_call, 1e-15));
  return static_cast<std::int64_t>(std::min(calls, static_cast<double>(most)));
}

impl::Shape form_shape(const PlannedConfiguration& planned) {
  constexpr std::int64_t kMostElements = 4096;
  const std::int64_t elements = impl::element_count(planned.shape);
  const bool own =
      planned.own_shape && elements > 0 && elements <= kMostElements;
  return own ? planned.shape
             : small_shapes(*planned.law, planned.config).front();
}

double output_elements(const PlannedConfiguration& planned,
                       const impl::Shape& input) {
  return static_cast<double>(impl::element_count(
      impl::output_shape(*planned.law, planned.config, input)));
}

double calls_that_keep(const PlannedConfiguration& planned,
                       const impl::Shape& input) {
  const impl::Shape output =
      impl::output_shape(*planned.law, planned.config, input);
  const auto units = static_cast<double>(impl::element_count(
      impl::unit_shape(*planned.law, planned.config, output)));
  return std::ceil(60 / (-std::log(planned.rate) * std::max(units, 1.0)));
}

std::optional<std::string> wrong_form(const Context& context,
                                      const impl::Shape& input,
                                      const impl::TensorView& result) {
  if (result.dtype != context.config().dtype) {
    return fmt::format("returns {} for {} input", impl::name_of(result.dtype),
                       impl::name_of(context.config().dtype));
  }
  const impl::Shape due =
      impl::output_shape(context.law(), context.config(), input);
  if (result.shape == due) return std::nullopt;
  return fmt::format("returns the shape {} for an input of {}{}",
                     impl::to_string(result.shape), impl::to_string(input),
                     shape_change(due, result.shape));
}

std::int64_t units_of(const Context& context, const impl::Shape& shape) {
  const impl::Shape output =
      impl::output_shape(context.law(), context.config(), shape);
  return impl::element_count(
      impl::unit_shape(context.law(), context.config(), output));
}

}  // namespace dropcheck::properties
