#include "reference/drop_connect.hpp"

#include <fmt/format.h>

#include <stdexcept>

#include "reference/dropout.hpp"

namespace dropcheck::impl::reference {
namespace {

/// The weight as if it were stored once per sample.
TensorView repeated(const TensorView& weight, std::int64_t samples) {
  TensorView view = weight;
  view.shape.insert(view.shape.begin(), samples);
  view.strides.insert(view.strides.begin(), 0);
  return view;
}

}  // namespace

DropConnect::DropConnect(const LayerConfig& config)
    : dropout_(config, dropout(config)), samples_(config.samples) {
  if (samples_ >= 0) return;
  throw std::invalid_argument(
      fmt::format("samples is {}, but must be at least 0", samples_));
}

Shape DropConnect::output_shape(const TensorView& weight) const {
  require_rank({"drop_connect", 1, 7}, weight.shape);
  return samples_ > 0 ? repeated(weight, samples_).shape : weight.shape;
}

void DropConnect::forward(const TensorView& weight, bool training,
                          const TensorView& output) {
  require_rank({"drop_connect", 1, 7}, weight.shape);
  dropout_.forward(samples_ > 0 ? repeated(weight, samples_) : weight, training,
                   output);
}

std::uint64_t DropConnect::drive(const TensorView& weight,
                                 std::span<const std::uint64_t> words,
                                 const TensorView& output) {
  return while_playing(dropout_.stream(), words,
                       [&] { forward(weight, true, output); });
}

void DropConnect::backward(const TensorView& grad_output,
                           const TensorView& grad_weight) {
  if (samples_ == 0) return dropout_.backward(grad_output, grad_weight);
  Tensor gradient(grad_output.dtype, grad_output.shape);
  dropout_.backward(grad_output, gradient.view());
  const TensorView all = gradient.view();
  for (std::int64_t i = 0; i < grad_weight.size(); ++i) {
    double sum = 0;
    for (std::int64_t s = 0; s < samples_; ++s) {
      sum += all.value(s * grad_weight.size() + i);
    }
    grad_weight.set(i, sum);
  }
}

}  // namespace dropcheck::impl::reference
