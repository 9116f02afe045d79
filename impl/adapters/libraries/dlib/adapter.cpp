// dlib's dropout_ for dropcheck. It does not scale what it keeps: "after you
// finish training a network with dropout, it is a good idea to replace each
// dropout_ layer with a multiply_ layer", which multiplies by 1 - drop_rate.
// That is its evaluation here. Each layer has a generator of its own, begun
// with std::rand(); it cannot be seeded afterwards.
#include <dlib/dnn.h>

#include <algorithm>
#include <stdexcept>

#include "../common/plugin_layer.hpp"

namespace {

class Dropout {
 public:
  explicit Dropout(const Config& config)
      : layer_(drop_rate(config)), evaluation_(layer_) {
    if (config.flag("scale_by_keep")) {
      throw NotSupported("dropout_ does not scale");
    }
    if (config.flag("in_place")) throw NotSupported("in_place");
  }

  void forward(const DLTensor& x, bool training, DLTensor& y) {
    trained_ = training;
    call(x, y, [&](const dlib::tensor& input, dlib::tensor& output) {
      if (training) {
        layer_.forward_inplace(input, output);
      } else {
        evaluation_.forward_inplace(input, output);
      }
    });
  }

  void backward(const DLTensor& grad_output, DLTensor& grad_input) {
    call(grad_output, grad_input,
         [&](const dlib::tensor& gradient, dlib::tensor& result) {
           dlib::resizable_tensor none;
           result = 0;  // gradients are added
           if (trained_) {
             layer_.backward_inplace(gradient, result, none);
           } else {
             evaluation_.backward_inplace(gradient, result, none);
           }
         });
  }

 private:
  /// "requires 0 <= drop_rate <= 1": dlib ends the process where that is broken
  /// twice.
  static float drop_rate(const Config& config) {
    const double rate = config.drop_probability();
    if (!(rate >= 0 && rate <= 1)) {
      throw std::invalid_argument("requires 0 <= drop_rate <= 1");
    }
    return static_cast<float>(rate);
  }

  /// Calls on tensors of dlib; elements are all alike, so axes do not matter.
  template <class Body>
  void call(const DLTensor& x, DLTensor& y, const Body& body) {
    const auto size = static_cast<long>(size_of(x));
    if (size == 0) return;
    const float* from = static_cast<const float*>(x.data);
    input_.set_size(size);
    output_.set_size(size);
    std::copy(from, from + size, input_.host());
    body(input_, output_);
    std::copy(output_.host(), output_.host() + size,
              static_cast<float*>(y.data));
  }

  bool trained_ = false;
  dlib::dropout_ layer_;
  dlib::multiply_ evaluation_;
  dlib::resizable_tensor input_;
  dlib::resizable_tensor output_;
};

const char* describe() {
  return R"({"name": "dlib::dropout_", "version": "19.24", "layer": "dropout",
             "dtypes": ["f32"], "generator": "mt19937",
             "variants": [{"scale_by_keep": false}],
             "options": {"dropped_nonfinite": "nan",
                         "dropped_zero": "signed"}})";
}

constexpr dropcheck_plugin kPlugin = plugin<Dropout, describe>();

}  // namespace

const dropcheck_plugin* dropcheck_plugin_get(std::uint32_t index) {
  return index == 0 ? &kPlugin : nullptr;
}
