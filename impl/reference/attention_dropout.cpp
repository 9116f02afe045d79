#include "reference/attention_dropout.hpp"

#include <Eigen/Core>
#include <cmath>

#include "reference/dropout.hpp"
#include "reference/storage.hpp"

namespace dropcheck::impl::reference {
namespace {

template <class T>
using RowsOf = Eigen::Map<
    Eigen::Array<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;

/// A compact tensor as a matrix whose rows run over the keys.
template <class T>
RowsOf<T> rows_of(const Tensor& tensor) {
  const std::int64_t keys = tensor.shape().back();
  return {static_cast<T*>(tensor.view().data), tensor.size() / keys, keys};
}

/// Row by row, the largest score taken off first so that nothing overflows.
/// std::exp, because Eigen's stops short of 0 for very negative scores.
template <class T>
void softmax(Tensor& tensor) {
  auto rows = rows_of<T>(tensor);
  for (Eigen::Index r = 0; r < rows.rows(); ++r) {
    const auto scores = rows.row(r).template cast<Arithmetic<T>>().eval();
    const auto powers =
        (scores - scores.maxCoeff())
            .unaryExpr([](Arithmetic<T> x) { return std::exp(x); })
            .eval();
    rows.row(r) = (powers / powers.sum()).template cast<T>();
  }
}

/// d scores = w * (d w - sum over keys of w * d w), in place of d w.
template <class T>
void softmax_backward(const Tensor& weights, Tensor& gradient) {
  const auto w = rows_of<T>(weights);
  auto rows = rows_of<T>(gradient);
  for (Eigen::Index r = 0; r < rows.rows(); ++r) {
    const auto weight = w.row(r).template cast<Arithmetic<T>>().eval();
    const auto grad = rows.row(r).template cast<Arithmetic<T>>().eval();
    const Arithmetic<T> mean = (weight * grad).sum();
    rows.row(r) = (weight * (grad - mean)).template cast<T>();
  }
}

}  // namespace

AttentionDropout::AttentionDropout(const LayerConfig& config)
    : dropout_(config, dropout(config)) {}

Shape AttentionDropout::output_shape(const TensorView& scores) const {
  require_rank({"attention_dropout", 2}, scores.shape);
  return scores.shape;
}

void AttentionDropout::forward(const TensorView& scores, bool training,
                               const TensorView& output) {
  require_rank({"attention_dropout", 2}, scores.shape);
  weights_ = Tensor(scores.dtype, scores.shape);
  copy(scores, weights_.view());
  if (weights_.size() > 0) {
    with_storage(scores.dtype, [this](auto storage) {
      softmax<typename decltype(storage)::Type>(weights_);
    });
  }
  dropout_.forward(weights_.view(), training, output);
}

std::uint64_t AttentionDropout::drive(const TensorView& scores,
                                      std::span<const std::uint64_t> words,
                                      const TensorView& output) {
  return while_playing(dropout_.stream(), words,
                       [&] { forward(scores, true, output); });
}

void AttentionDropout::backward(const TensorView& grad_output,
                                const TensorView& grad_scores) {
  Tensor gradient(grad_output.dtype, grad_output.shape);
  dropout_.backward(grad_output, gradient.view());
  if (gradient.size() > 0) {
    with_storage(grad_output.dtype, [&](auto storage) {
      softmax_backward<typename decltype(storage)::Type>(weights_, gradient);
    });
  }
  copy(gradient.view(), grad_scores);
}

}  // namespace dropcheck::impl::reference
