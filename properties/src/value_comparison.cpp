#include "value_comparison.hpp"

#include <cmath>
#include <cstring>

namespace dropcheck::properties {
namespace {

bool same_value(double a, double b) {
  return (std::isnan(a) && std::isnan(b)) ||
         (a == b && std::signbit(a) == std::signbit(b));
}

}  // namespace

std::int64_t first_difference(const impl::TensorView& view,
                              const impl::TensorView& expected) {
  const std::size_t bytes =
      static_cast<std::size_t>(expected.size()) * impl::size_of(expected.dtype);
  if (bytes == 0) return -1;  // there need be no memory
  if (view.compact() && expected.compact() &&
      std::memcmp(view.data, expected.data, bytes) == 0) {
    return -1;
  }
  for (std::int64_t i = 0; i < expected.size(); ++i) {
    if (!same_value(view.value(i), expected.value(i))) return i;
  }
  return -1;
}

impl::TensorView evaluate(impl::Layer& layer, impl::Tensor& input) {
  return layer.forward({input.view(), false, 1});
}

impl::Tensor copied(const impl::TensorView& view) {
  impl::Tensor tensor(view.dtype, view.shape);
  impl::copy(view, tensor.view());
  return tensor;
}

void require_result_for(const Context& context, const impl::Shape& shape,
                        const impl::TensorView& result) {
  require_result(result,
                 impl::output_shape(context.law(), context.config(), shape),
                 context.config().dtype);
}

}  // namespace dropcheck::properties
