#include "networks/vit_encoder.hpp"

#include <cmath>
#include <utility>

#include "dropcheck/impl/networks/selu_network.hpp"

namespace dropcheck::impl::networks {
namespace {

/// Numbers the tensors of a network, so that each has its own normals.
template <class T>
class Normals {
 public:
  explicit Normals(std::uint64_t key) : key_(key) {}

  Matrix<T> matrix(std::int64_t rows, std::int64_t columns, double deviation) {
    std::vector<float> values(static_cast<std::size_t>(rows * columns));
    fill_normal(key_, number_++, values);
    return static_cast<T>(deviation) *
           Eigen::Map<const Matrix<float>>(values.data(), rows, columns)
               .template cast<T>();
  }

  Linear<T> linear(std::int64_t in, std::int64_t out) {
    const double deviation = 1 / std::sqrt(static_cast<double>(in));
    return {matrix(in, out, deviation), matrix(1, out, 0.1)};
  }

 private:
  std::uint64_t key_;
  std::uint64_t number_ = 0;
};

/// Where the rows of a patch begin: patches and their pixels in row-major
/// order, channel by channel.
template <class T>
Matrix<T> cut_patches(const Tensor& input, const VitShape& shape) {
  const std::int64_t batch = input.shape()[0];
  const std::int64_t across = shape.side / shape.patch;
  Matrix<T> patches(batch * shape.patches(),
                    shape.channels * shape.patch * shape.patch);
  const auto* pixel = static_cast<const T*>(input.view().data);
  for (std::int64_t n = 0; n < batch; ++n) {
    for (std::int64_t c = 0; c < shape.channels; ++c) {
      for (std::int64_t y = 0; y < shape.side; ++y) {
        for (std::int64_t x = 0; x < shape.side; ++x, ++pixel) {
          const std::int64_t row =
              n * shape.patches() + y / shape.patch * across + x / shape.patch;
          const std::int64_t column =
              (c * shape.patch + y % shape.patch) * shape.patch +
              x % shape.patch;
          patches(row, column) = *pixel;
        }
      }
    }
  }
  return patches;
}

}  // namespace

template <class T>
VitWeights<T> make_vit_weights(const VitShape& shape, std::uint64_t key) {
  Normals<T> normals(key);
  const std::int64_t width = shape.width;
  VitWeights<T> weights;
  weights.embedding =
      normals.linear(shape.channels * shape.patch * shape.patch, width);
  weights.positions = normals.matrix(shape.tokens(), width, 0.5);
  for (int block = 0; block < shape.blocks; ++block) {
    typename VitWeights<T>::Block made;
    made.attention = {normals.linear(width, 3 * width),
                      normals.linear(width, width), shape.heads};
    made.first = normals.linear(width, shape.hidden);
    made.second = normals.linear(shape.hidden, width);
    weights.blocks.push_back(std::move(made));
  }
  return weights;
}

template <class T>
VitEncoder<T>::VitEncoder(const Law& law, const LayerConfig& config,
                          Wiring wiring, const VitShape& shape)
    : Network(law, config, std::move(wiring)),
      shape_(shape),
      weights_(make_vit_weights<T>(shape, 1)) {}

template <class T>
void VitEncoder<T>::embed(const Tensor& input) {
  const std::int64_t batch = input.shape()[0];
  const Shape shape{batch, shape_.tokens(), shape_.width};
  if (tokens_.shape() != shape) {
    tokens_ = Tensor(input.dtype(), shape);
    output_ = Tensor(input.dtype(), shape);
  }
  const Matrix<T> patches = weights_.embedding(cut_patches<T>(input, shape_));
  auto tokens = matrix<T>(tokens_.view());
  const Eigen::Index count = shape_.tokens();
  for (std::int64_t n = 0; n < batch; ++n) {
    auto sample = tokens.middleRows(n * count, count);
    sample = weights_.positions;
    sample.bottomRows(count - 1) +=
        patches.middleRows(n * (count - 1), count - 1);
  }
}

template <class T>
const Tensor& VitEncoder<T>::pass(const Tensor& input, bool training) {
  embed(input);
  const Tensor* h = &tokens_;
  std::size_t tap = 0;
  for (const auto& block : weights_.blocks) {
    matrix<T>(branch(tap).view()) =
        block.attention(layer_norm<T>(matrix<T>(h->view())), shape_.tokens());
    h = &join(tap++, h, training);
    Matrix<T> hidden = block.first(layer_norm<T>(matrix<T>(h->view())));
    apply_gelu(hidden);
    matrix<T>(branch(tap).view()) = block.second(hidden);
    h = &join(tap++, h, training);
  }
  matrix<T>(output_.view()) = layer_norm<T>(matrix<T>(h->view()));
  return output_;
}

template class VitEncoder<float>;
template class VitEncoder<double>;

}  // namespace dropcheck::impl::networks
