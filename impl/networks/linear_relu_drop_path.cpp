#include "dropcheck/impl/networks/linear_relu_drop_path.hpp"

#include <fmt/format.h>

#include <Eigen/Core>
#include <algorithm>
#include <stdexcept>
#include <utility>

namespace dropcheck::impl::networks {
namespace {

template <class T>
using Matrix =
    Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

template <class T>
Eigen::Map<Matrix<T>> matrix(const Tensor& tensor) {
  return {static_cast<T*>(tensor.view().data), tensor.shape()[0],
          tensor.size() / std::max<std::int64_t>(tensor.shape()[0], 1)};
}

template <class T>
void linear_relu(const LinearReluDropPath::Parameters& parameters,
                 const Tensor& input, Tensor& hidden) {
  const auto bias = matrix<T>(parameters.bias).col(0).transpose();
  const auto linear =
      (matrix<T>(input) * matrix<T>(parameters.weight).transpose()).eval();
  matrix<T>(hidden) = (linear.rowwise() + bias).cwiseMax(T{0});
}

void require(bool holds, const char* rule, const TensorView& got) {
  if (holds) return;
  throw std::invalid_argument(fmt::format(
      "{}, but got {} {}", rule, name_of(got.dtype), to_string(got.shape)));
}

}  // namespace

LinearReluDropPath::LinearReluDropPath(Parameters parameters, Layer& drop_path)
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
  Taps taps{hidden(input), {}};
  const TensorView output =
      drop_path_.forward({.input = taps.hidden.view(), .training = training});
  taps.output = Tensor(output.dtype, output.shape);
  copy(output, taps.output.view());
  return taps;
}

Tensor LinearReluDropPath::hidden(const TensorView& input) const {
  const Tensor& weight = parameters_.weight;
  require(input.shape.size() == 2 && input.shape[1] == weight.shape()[1] &&
              input.dtype == weight.dtype(),
          "input must have the weight's dtype and shape (batch, in)", input);
  Tensor compact(input.dtype, input.shape);
  copy(input, compact.view());
  Tensor result(input.dtype, {input.shape[0], weight.shape()[0]});
  if (result.size() == 0) return result;
  if (input.dtype == DType::kFloat64) {
    linear_relu<double>(parameters_, compact, result);
  } else {
    linear_relu<float>(parameters_, compact, result);
  }
  return result;
}

}  // namespace dropcheck::impl::networks
