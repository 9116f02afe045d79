#include "dropcheck/impl/networks/linear_relu_drop_path.hpp"

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

#include "networks/matrix.hpp"

namespace dropcheck::impl::networks {
namespace {

template <class T>
void fill_hidden(const LinearReluParameters& parameters, const Tensor& input,
                 Tensor& hidden) {
  const auto bias = vector<T>(parameters.bias.view());
  const auto weight = matrix<T>(parameters.weight.view());
  const Matrix<T> linear = matrix<T>(input.view()) * weight.transpose();
  matrix<T>(hidden.view()) = (linear.rowwise() + bias).cwiseMax(T{0});
}

void require(bool holds, const char* rule, const TensorView& got) {
  if (holds) return;
  throw std::invalid_argument(fmt::format(
      "{}, but got {} {}", rule, name_of(got.dtype), to_string(got.shape)));
}

}  // namespace

LinearReluDropPath::LinearReluDropPath(LinearReluParameters parameters,
                                       Layer& drop_path)
    : parameters_(std::move(parameters)), drop_path_(drop_path) {
  const Tensor& weight = parameters_.weight;
  require(weight.shape().size() == 2 && (weight.dtype() == DType::kFloat32 ||
                                         weight.dtype() == DType::kFloat64),
          "weight must be f32 or f64 of shape (out, in)", weight.view());
  require(parameters_.bias.shape() == Shape{weight.shape()[0]} &&
              parameters_.bias.dtype() == weight.dtype(),
          "bias must have the weight's dtype and shape (out)",
          parameters_.bias.view());
}

LinearReluDropPath::Taps LinearReluDropPath::forward(const TensorView& input,
                                                     bool training) const {
  Taps taps{linear_relu(parameters_, input), {}};
  const TensorView output =
      drop_path_.forward({.input = taps.hidden.view(), .training = training});
  taps.output = Tensor(output.dtype, output.shape);
  copy(output, taps.output.view());
  return taps;
}

Tensor linear_relu(const LinearReluParameters& parameters,
                   const TensorView& input) {
  const Tensor& weight = parameters.weight;
  require(input.shape.size() == 2 && input.shape[1] == weight.shape()[1] &&
              input.dtype == weight.dtype(),
          "input must have the weight's dtype and shape (batch, in)", input);
  Tensor compact(input.dtype, input.shape);
  copy(input, compact.view());
  Tensor result(input.dtype, {input.shape[0], weight.shape()[0]});
  if (result.size() == 0) return result;
  if (input.dtype == DType::kFloat64) {
    fill_hidden<double>(parameters, compact, result);
  } else {
    fill_hidden<float>(parameters, compact, result);
  }
  return result;
}

}  // namespace dropcheck::impl::networks
