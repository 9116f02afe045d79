#pragma once

#include <cstdint>
#include <random>
#include <stdexcept>
#include <vector>

#include "dropcheck/impl/simple_layer.hpp"

namespace dropcheck::gtest::testing {

/// Dropout as one would write it by hand. `drawn` is the probability that it
/// really drops with.
class ToyDropout {
 public:
  explicit ToyDropout(double drop) : ToyDropout(drop, drop) {}
  ToyDropout(double drop, double drawn) : keep_(1 - drop), drawn_(drawn) {
    if (!(drop >= 0 && drop <= 1)) {
      throw std::domain_error("drop probability must be in [0, 1]");
    }
  }

  void forward(const impl::TensorView& input, bool training,
               const impl::TensorView& output) {
    factors_.assign(static_cast<std::size_t>(input.size()), 1.0);
    if (training) draw();
    apply(input, output);
  }

  void backward(const impl::TensorView& gradient,
                const impl::TensorView& result) const {
    apply(gradient, result);
  }

  void reseed(std::uint64_t seed) { generator_.seed(seed); }

 private:
  void draw() {
    for (double& factor : factors_) {
      const double uniform = std::generate_canonical<double, 53>(generator_);
      factor = uniform < drawn_ ? 0 : 1 / keep_;
    }
  }

  void apply(const impl::TensorView& from, const impl::TensorView& to) const {
    for (std::int64_t i = 0; i < from.size(); ++i) {
      const double factor = factors_[static_cast<std::size_t>(i)];
      to.set(i, factor == 0 ? 0 : from.value(i) * factor);
    }
  }

  double keep_;
  double drawn_;
  std::mt19937_64 generator_;
  std::vector<double> factors_;
};

}  // namespace dropcheck::gtest::testing
