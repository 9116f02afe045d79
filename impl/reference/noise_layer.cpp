#include "reference/noise_layer.hpp"

#include <algorithm>
#include <type_traits>

#include "reference/masked_layer.hpp"
#include "reference/storage.hpp"

namespace dropcheck::impl::reference {
namespace {

/// Neighbours, combined in the arithmetic of their dtype.
template <class T>
void combine_row(const NoiseRule& rule, const T* x, const double* drawn,
                 std::int64_t count, T* y) {
  for (std::int64_t i = 0; i < count; ++i) {
    if constexpr (std::is_same_v<T, double>) {
      y[i] = rule.combine(x[i], drawn[i]);
    } else {
      const auto number = static_cast<float>(drawn[i]);
      const double result =
          rule.combine(static_cast<double>(static_cast<float>(x[i])), number);
      y[i] = static_cast<T>(static_cast<float>(result));
    }
  }
}

void combine(const NoiseRule& rule, const TensorView& input,
             const double* drawn, const TensorView& output) {
  with_storage(output.dtype, [&](auto storage) {
    using T = typename decltype(storage)::Type;
    if (input.compact() && output.compact()) {
      return combine_row(rule, static_cast<const T*>(input.data), drawn,
                         output.size(), static_cast<T*>(output.data));
    }
    for (std::int64_t i = 0; i < output.size(); ++i) {
      combine_row(rule, static_cast<const T*>(input.at(i)), drawn + i, 1,
                  static_cast<T*>(output.at(i)));
    }
  });
}

constexpr std::int64_t kPiece = 4096;

}  // namespace

void NoiseLayer::forward(const TensorView& input, bool training,
                         const TensorView& output) {
  shape_ = input.shape;
  training_ = training;
  if (!training) return pass_through(input, output);
  drawn_.resize(static_cast<std::size_t>(input.size()));
  rule_.draw(stream_, drawn_);
  combine(rule_, input, drawn_.data(), output);
}

bool NoiseLayer::forward_in_pieces(const TensorView& input, PieceCalls calls,
                                   const TakePiece& take) {
  shape_.reset();
  if (!input.compact()) return false;
  drawn_.resize(static_cast<std::size_t>(input.size()));
  piece_.resize(static_cast<std::size_t>(kPiece) * size_of(input.dtype));
  for (std::int64_t call = 0; call < calls.count; ++call) {
    rule_.draw(stream_, drawn_);
    show_pieces(input, call, calls.in_place, take);
  }
  return true;
}

void NoiseLayer::show_pieces(const TensorView& input, std::int64_t call,
                             bool in_place, const TakePiece& take) {
  const std::size_t width = size_of(input.dtype);
  for (std::int64_t first = 0; first < input.size(); first += kPiece) {
    const std::int64_t count = std::min(kPiece, input.size() - first);
    const TensorView from{static_cast<std::byte*>(input.data) +
                              static_cast<std::size_t>(first) * width,
                          input.dtype,
                          {count},
                          {1}};
    TensorView to = from;
    to.data = piece_.data();
    if (in_place) copy(from, to);
    combine(rule_, in_place ? to : from, drawn_.data() + first, to);
    take({piece_.data(), call, first, count});
  }
}

void NoiseLayer::backward(const TensorView& grad_output,
                          const TensorView& grad_input) {
  require_gradient_shape(grad_output, shape_);
  if (!training_) return pass_through(grad_output, grad_input);
  combine(rule_, grad_output, drawn_.data(), grad_input);
}

}  // namespace dropcheck::impl::reference
