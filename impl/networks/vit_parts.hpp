#pragma once

#include <cmath>
#include <numbers>

#include "networks/matrix.hpp"

namespace dropcheck::impl::networks {

/// x * weight + bias, rows are tokens.
template <class T>
struct Linear {
  Matrix<T> weight;  ///< (in, out)
  Row<T> bias;       ///< (out)

  template <class Rows>
  Matrix<T> operator()(const Rows& x) const {
    Matrix<T> y = x * weight;
    y.rowwise() += bias;
    return y;
  }
};

/// Every row shifted and scaled to mean 0 and variance 1, as a layer norm does
/// at initialisation (gain 1, bias 0).
template <class T, class Rows>
Matrix<T> layer_norm(const Rows& x) {
  constexpr T kEpsilon = static_cast<T>(1e-6);
  Matrix<T> y = x;
  for (Eigen::Index row = 0; row < y.rows(); ++row) {
    const T mean = y.row(row).mean();
    y.row(row).array() -= mean;
    const T variance = y.row(row).squaredNorm() / static_cast<T>(y.cols());
    y.row(row) /= std::sqrt(variance + kEpsilon);
  }
  return y;
}

/// x * Phi(x), without the approximation by tanh.
template <class T>
void apply_gelu(Matrix<T>& x) {
  constexpr T kHalf = static_cast<T>(0.5);
  constexpr T kRoot = std::numbers::sqrt2_v<T> / 2;
  x = x.unaryExpr([](T v) { return kHalf * v * (1 + std::erf(v * kRoot)); });
}

/// Every row becomes non-negative with sum 1.
template <class T>
void apply_softmax(Matrix<T>& scores) {
  for (Eigen::Index row = 0; row < scores.rows(); ++row) {
    const T largest = scores.row(row).maxCoeff();
    scores.row(row) = (scores.row(row).array() - largest).exp();
    scores.row(row) /= scores.row(row).sum();
  }
}

/// Multi-head self-attention: softmax(Q K^T / sqrt(d)) V for every sample and
/// head, heads side by side, then the projection.
template <class T>
struct SelfAttention {
  Linear<T> queries_keys_values;  ///< (width, 3 * width): Q, K, V in a row
  Linear<T> projection;           ///< (width, width)
  Eigen::Index heads = 1;

  /// `x` has the tokens of all samples below each other.
  Matrix<T> operator()(const Matrix<T>& x, Eigen::Index tokens) const {
    const Matrix<T> all = queries_keys_values(x);
    const Eigen::Index width = x.cols();
    const Eigen::Index size = width / heads;
    const T scale = 1 / std::sqrt(static_cast<T>(size));
    Matrix<T> mixed(x.rows(), width);
    Matrix<T> scores(tokens, tokens);
    for (Eigen::Index first = 0; first < x.rows(); first += tokens) {
      for (Eigen::Index head = 0; head < heads; ++head) {
        const auto part = [&](Eigen::Index third) {
          return all.block(first, third * width + head * size, tokens, size);
        };
        // Lazy: these matrices are too small to be cut into blocks.
        scores = part(0).lazyProduct(part(1).transpose()) * scale;
        apply_softmax(scores);
        mixed.block(first, head * size, tokens, size) =
            scores.lazyProduct(part(2));
      }
    }
    return projection(mixed);
  }
};

}  // namespace dropcheck::impl::networks
