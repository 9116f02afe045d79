#include "reference/noise_layer.hpp"

#include "reference/masked_layer.hpp"

namespace dropcheck::impl::reference {
namespace {

/// x combined with a number, in the arithmetic of the dtype.
double combined(const NoiseRule& rule, double x, double drawn, DType dtype) {
  if (dtype == DType::kFloat64) return rule.combine(x, drawn);
  const double number = rounded(drawn, DType::kFloat32);
  return rounded(rule.combine(x, number), DType::kFloat32);
}

}  // namespace

void NoiseLayer::forward(const TensorView& input, bool training,
                         const TensorView& output) {
  shape_ = input.shape;
  training_ = training;
  if (!training) return pass_through(input, output);
  drawn_.resize(static_cast<std::size_t>(input.size()));
  rule_.draw(stream_, drawn_);
  for (std::int64_t i = 0; i < input.size(); ++i) {
    output.set(i, combined(rule_, input.value(i),
                           drawn_[static_cast<std::size_t>(i)], input.dtype));
  }
}

void NoiseLayer::backward(const TensorView& grad_output,
                          const TensorView& grad_input) {
  require_gradient_shape(grad_output, shape_);
  if (!training_) return pass_through(grad_output, grad_input);
  for (std::int64_t i = 0; i < grad_output.size(); ++i) {
    grad_input.set(
        i, combined(rule_, grad_output.value(i),
                    drawn_[static_cast<std::size_t>(i)], grad_output.dtype));
  }
}

}  // namespace dropcheck::impl::reference
