// mlpack's Dropout and AlphaDropout for dropcheck. Both draw from the one
// generator of Armadillo that a thread has, which mlpack::RandomSeed sets.
//
// Of mlpack/core.hpp what the layers need, in its order: the whole wants
// ensmallen, too.
// clang-format off
#include <mlpack/prereqs.hpp>
#include <mlpack/core/util/using.hpp>
#include <mlpack/core/util/conv_to.hpp>
#include <mlpack/core/util/distr_param.hpp>
#include <mlpack/core/util/log.hpp>
#include <mlpack/core/math/math.hpp>
#include <mlpack/methods/ann/layer/dropout.hpp>
#include <mlpack/methods/ann/layer/alpha_dropout.hpp>
// clang-format on

#include <algorithm>
#include <variant>

#include "../common/plugin_layer.hpp"

namespace {

/// A layer of the library on matrices of one element type. Elements are all
/// alike, so a tensor is one column.
template <class Matrix, template <class> class Layer>
class Typed {
 public:
  explicit Typed(double ratio) : layer_(ratio) {}

  void forward(const DLTensor& x, bool training, DLTensor& y) {
    layer_.Training() = training;
    const Matrix input = column(x);
    layer_.Forward(input, output_);
    store(output_, y);
  }

  /// Nobody goes backward through an evaluation.
  void backward(const DLTensor& grad_output, DLTensor& grad_input) {
    if (!layer_.Training()) return store(column(grad_output), grad_input);
    Matrix result;
    layer_.Backward(output_, output_, column(grad_output), result);
    store(result, grad_input);
  }

 private:
  using Element = typename Matrix::elem_type;

  static Matrix column(const DLTensor& x) {
    return Matrix(static_cast<const Element*>(x.data),
                  static_cast<arma::uword>(size_of(x)), 1);
  }

  static void store(const Matrix& from, DLTensor& to) {
    std::copy(from.begin(), from.end(), static_cast<Element*>(to.data));
  }

  Layer<Matrix> layer_;
  Matrix output_;
};

template <template <class> class Layer>
class Dropout {
 public:
  explicit Dropout(const Config& config)
      : layer_(
            config.text("dtype") == "\"f32\""
                ? Either(Typed<arma::fmat, Layer>(config.drop_probability()))
                : Either(Typed<arma::mat, Layer>(config.drop_probability()))) {
    if (config.flag("in_place")) throw NotSupported("in_place");
  }

  void forward(const DLTensor& x, bool training, DLTensor& y) {
    std::visit([&](auto& layer) { layer.forward(x, training, y); }, layer_);
  }

  void backward(const DLTensor& grad_output, DLTensor& grad_input) {
    std::visit([&](auto& layer) { layer.backward(grad_output, grad_input); },
               layer_);
  }

  void reseed(std::uint64_t seed) { mlpack::RandomSeed(seed); }

 private:
  using Either =
      std::variant<Typed<arma::fmat, Layer>, Typed<arma::mat, Layer>>;
  Either layer_;
};

// The ratio is not looked at, and a mask of 0 and 1 is multiplied.
std::string described(const std::string& name, const std::string& law) {
  return R"({"name": "mlpack::)" + name + R"(", "layer": ")" + law +
         R"(", "version": "4.8.0", "dtypes": ["f32", "f64"],
             "own_state": false, "generator": "Armadillo's",
             "options": {"beyond_ends": "accepted", "dropped_nonfinite": "nan",
                         "dropped_zero": "signed"}})";
}

const char* describe_dropout() {
  static const std::string text = described("Dropout", "dropout");
  return text.c_str();
}

const char* describe_alpha_dropout() {
  static const std::string text = described("AlphaDropout", "alpha_dropout");
  return text.c_str();
}

constexpr dropcheck_plugin kPlugins[] = {
    plugin<Dropout<mlpack::Dropout>, describe_dropout>(),
    plugin<Dropout<mlpack::AlphaDropout>, describe_alpha_dropout>()};

}  // namespace

const dropcheck_plugin* dropcheck_plugin_get(std::uint32_t index) {
  return index < 2 ? &kPlugins[index] : nullptr;
}
