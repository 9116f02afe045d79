#include "faulty/faulty_around.hpp"

namespace dropcheck::impl::faulty {
namespace {

/// The mask alone: one decision an element.
LayerConfig mask_of(LayerConfig config) {
  config.layer = "dropout";
  return config;
}

/// Every row is divided by its sum, where that is not 0.
void normalise_rows(const TensorView& tensor) {
  const std::int64_t keys = tensor.shape.back();
  for (std::int64_t row = 0; row < tensor.size(); row += keys) {
    double sum = 0;
    for (std::int64_t i = row; i < row + keys; ++i) sum += tensor.value(i);
    for (std::int64_t i = row; sum > 0 && i < row + keys; ++i) {
      tensor.set(i, tensor.value(i) / sum);
    }
  }
}

}  // namespace

FaultyAttention::FaultyAttention(const LayerConfig& config, const Fault& fault)
    : around_(fault.around),
      dropout_(mask_of(config), fault),
      softmax_(config) {}

void FaultyAttention::forward(const TensorView& scores, bool training,
                              const TensorView& output) {
  Tensor inner(scores.dtype, scores.shape);
  if (around_ == Around::kBeforeSoftmax) {
    dropout_.forward(scores, training, inner.view());
    softmax_.forward(inner.view(), false, output);
    return;
  }
  softmax_.forward(scores, false, inner.view());
  dropout_.forward(inner.view(), training, output);
  if (around_ == Around::kNormalised && training) normalise_rows(output);
}

void FaultyAttention::backward(const TensorView& grad_output,
                               const TensorView& grad_scores) {
  Tensor inner(grad_output.dtype, grad_output.shape);
  if (around_ == Around::kBeforeSoftmax) {
    softmax_.backward(grad_output, inner.view());
    dropout_.backward(inner.view(), grad_scores);
    return;
  }
  dropout_.backward(grad_output, inner.view());
  softmax_.backward(inner.view(), grad_scores);
}

FaultyConnect::FaultyConnect(const LayerConfig& config, const Fault& fault)
    : samples_(config.samples),
      dropout_(mask_of(config), fault),
      right_(config) {}

void FaultyConnect::forward(const TensorView& weight, bool training,
                            const TensorView& output) {
  TensorView input = weight;
  if (samples_ > 0) {
    input.shape.insert(input.shape.begin(), samples_);
    input.strides.insert(input.strides.begin(), 0);
  }
  dropout_.forward(input, training, output);
}

void FaultyConnect::backward(const TensorView& grad_output,
                             const TensorView& grad_weight) {
  if (samples_ == 0) return dropout_.backward(grad_output, grad_weight);
  Tensor gradient(grad_output.dtype, grad_output.shape);
  dropout_.backward(grad_output, gradient.view());
  for (std::int64_t i = 0; i < grad_weight.size(); ++i) {
    double sum = 0;
    for (std::int64_t s = 0; s < samples_; ++s) {
      sum += gradient.view().value(s * grad_weight.size() + i);
    }
    grad_weight.set(i, sum);
  }
}

}  // namespace dropcheck::impl::faulty
