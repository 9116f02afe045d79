#include "dropcheck/impl/networks/selu_network.hpp"

#include <fmt/format.h>

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>

#include "dropcheck/impl/random_stream.hpp"
#include "networks/selu_activation.hpp"
#include "normals.hpp"

namespace dropcheck::impl::networks {
namespace {

using MatrixMap = Eigen::Map<Matrix<float>>;
using Array = Eigen::Map<Eigen::ArrayXf>;

/// Pairs of normals that are made together: few enough for the cache.
constexpr std::size_t kPairs = 512;
Array array(std::vector<float>& values) {
  return {values.data(), static_cast<Eigen::Index>(values.size())};
}

Moments moments_of(const std::vector<float>& values) {
  double sum = 0;
  double squares = 0;
  for (const float value : values) {
    const double x = static_cast<double>(value);
    sum += x;
    squares += x * x;
  }
  const auto count = static_cast<double>(values.size());
  return {sum / count, squares / count};
}

std::size_t checked_size(const Shape& shape) {
  for (const std::int64_t extent : shape) {
    if (extent >= 1) continue;
    throw std::invalid_argument(fmt::format(
        "SELU network has the extent {}, but depth, width and batch must be "
        "at least 1",
        extent));
  }
  return static_cast<std::size_t>(element_count(shape));
}

}  // namespace

void fill_normal(std::uint64_t key, std::uint64_t number,
                 std::vector<float>& values) {
  RandomStream stream(keyed_word(key, number));
  std::array<std::uint64_t, kPairs> words;
  std::array<float, kPairs> cosines;
  std::array<float, kPairs> sines;
  for (std::size_t i = 0; i < values.size(); i += 2 * kPairs) {
    stream.fill(words);
    normals_of_words(words.data(), kPairs, cosines.data(), sines.data());
    const std::size_t count = std::min(values.size() - i, 2 * kPairs);
    const std::size_t half = std::min(count, kPairs);
    std::copy_n(cosines.data(), half, values.data() + i);
    std::copy_n(sines.data(), count - half, values.data() + i + half);
  }
}

SeluNetwork::SeluNetwork(const SeluShape& shape, Layer& dropout)
    : shape_(shape),
      dropout_(dropout),
      weights_(checked_size({shape.width, shape.width})),
      activations_(checked_size({shape.batch, shape.width})),
      products_(activations_.size()) {
  checked_size({shape.depth});
}

Moments SeluNetwork::pass(std::uint64_t key) {
  const Shape shape{shape_.batch, shape_.width};
  const float deviation = 1 / std::sqrt(static_cast<float>(shape_.width));
  fill_normal(key, 0, activations_);
  const TensorView result{activations_.data(), DType::kFloat32, shape,
                          compact_strides(shape)};
  TensorView products = result;
  products.data = products_.data();
  for (std::int64_t layer = 1; layer <= shape_.depth; ++layer) {
    fill_normal(key, static_cast<std::uint64_t>(layer), weights_);
    const MatrixMap weights(weights_.data(), shape_.width, shape_.width);
    const MatrixMap input(activations_.data(), shape_.batch, shape_.width);
    MatrixMap(products_.data(), shape_.batch, shape_.width).noalias() =
        deviation * (input * weights);
    apply_selu<float>(array(products_));
    copy(dropout_.forward({.input = products}), result);
  }
  return moments_of(activations_);
}

}  // namespace dropcheck::impl::networks
