// mlpack's Dropout and AlphaDropout at a ratio of 1, "the probability of
// setting a value to zero" (to alpha').
// c++ -std=c++17 -DARMA_DONT_USE_WRAPPER mlpack_ratio_one.cpp (and what
// impl/adapters/libraries/mlpack/library.toml installs)
#include <mlpack/core/math/math.hpp>
#include <mlpack/core/util/conv_to.hpp>
#include <mlpack/core/util/distr_param.hpp>
#include <mlpack/core/util/log.hpp>
#include <mlpack/core/util/using.hpp>
#include <mlpack/methods/ann/layer/alpha_dropout.hpp>
#include <mlpack/methods/ann/layer/dropout.hpp>
#include <mlpack/prereqs.hpp>

template <class Layer>
void show(const char* name, double ratio) {
  Layer layer(ratio);
  layer.Training() = true;
  arma::mat output;
  layer.Forward(arma::mat(1, 4, arma::fill::ones), output);
  std::cout << name << ", ratio " << ratio << ": " << output;
}

int main() {
  for (const double ratio : {0.999999, 1.0}) {
    show<mlpack::Dropout<arma::mat>>("Dropout", ratio);
    show<mlpack::AlphaDropout<arma::mat>>("AlphaDropout", ratio);
  }
}
