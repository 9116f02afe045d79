#include "networks/selu_stack.hpp"

#include <cmath>
#include <utility>

#include "dropcheck/impl/networks/selu_network.hpp"
#include "networks/selu_activation.hpp"

namespace dropcheck::impl::networks {

template <class T>
SeluStack<T>::SeluStack(const Law& law, const LayerConfig& config,
                        Wiring wiring)
    : Network(law, config, std::move(wiring)),
      weights_(static_cast<std::size_t>(this->law().blocks)) {
  begin(0);
}

template <class T>
void SeluStack<T>::begin(std::uint64_t seed) {
  const std::int64_t width = law().sample[0];
  const double deviation =
      std::sqrt(wiring().weight_variance / static_cast<double>(width));
  std::vector<float> normals(static_cast<std::size_t>(width * width));
  for (std::size_t block = 0; block < weights_.size(); ++block) {
    fill_normal(seed, block, normals);
    weights_[block] =
        static_cast<T>(deviation) *
        Eigen::Map<const Matrix<float>>(normals.data(), width, width)
            .template cast<T>();
  }
}

template <class T>
const Tensor& SeluStack<T>::pass(const Tensor& input, bool training) {
  const Tensor* x = &input;
  for (std::size_t block = 0; block < weights_.size(); ++block) {
    Tensor& activations = branch(block);
    matrix<T>(activations.view()).noalias() =
        matrix<T>(x->view()) * weights_[block];
    apply_selu<T>(vector<T>(activations.view()).array());
    x = &join(block, nullptr, training);
  }
  return *x;
}

template class SeluStack<float>;
template class SeluStack<double>;

}  // namespace dropcheck::impl::networks
