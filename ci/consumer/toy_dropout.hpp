#pragma once

#include <cstddef>
#include <cstdint>
#include <dropcheck/impl/simple_layer.hpp>
#include <random>
#include <stdexcept>
#include <vector>

/// Dropout as one would write it by hand; models dropcheck's InProcessLayer.
/// `drawn` is the probability that it really drops with.
class ToyDropout {
 public:
  using View = dropcheck::impl::TensorView;

  explicit ToyDropout(double drop) : ToyDropout(drop, drop) {}
  ToyDropout(double drop, double drawn) : keep_(1 - drop), drawn_(drawn) {
    if (!(drop >= 0 && drop <= 1)) {
      throw std::domain_error("drop probability must be in [0, 1]");
    }
  }

  void forward(const View& input, bool training, const View& output) {
    factors_.assign(input.floats().size(), 1);
    if (training) draw();
    apply(input, output);
  }

  void backward(const View& gradient, const View& result) const {
    apply(gradient, result);
  }

  void reseed(std::uint64_t seed) { generator_.seed(seed); }

 private:
  void draw() {
    for (float& factor : factors_) {
      const double uniform = std::generate_canonical<double, 53>(generator_);
      factor = uniform < drawn_ ? 0 : static_cast<float>(1 / keep_);
    }
  }

  void apply(const View& from, const View& to) const {
    const auto x = from.floats();
    const auto y = to.floats();
    for (std::size_t i = 0; i < x.size(); ++i) {
      y[i] = factors_[i] > 0 ? x[i] * factors_[i] : 0;
    }
  }

  double keep_;
  double drawn_;
  std::mt19937_64 generator_;
  std::vector<float> factors_;
};
