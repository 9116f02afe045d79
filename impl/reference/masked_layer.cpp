#include "reference/masked_layer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace dropcheck::impl::reference {

void draw_by(const MaskRule& rule, Probability probability,
             RandomStream& stream, Mask& mask) {
  if (rule.draw) return rule.draw(stream, mask);
  draw_mask(Shape(mask.shape), probability, stream, mask);
}

Response response_to(const MaskRule& rule, const Mask& mask) {
  if (!rule.measures_scale) return rule.response;
  const auto kept = std::count(mask.kept.begin(), mask.kept.end(), 1);
  if (kept == 0) return {.scale = 0};
  return {.scale = static_cast<double>(mask.kept.size()) /
                   static_cast<double>(kept)};
}

MaskedLayer::MaskedLayer(const LayerConfig& config, MaskRule rule)
    : probability_(Probability::from_drop(config.drop_probability)),
      rule_(std::move(rule)) {}

Shape MaskedLayer::output_shape(const TensorView& input) const {
  rule_.mask_shape(input.shape);
  return input.shape;
}

void MaskedLayer::forward(const TensorView& input, bool training,
                          const TensorView& output) {
  mask_.shape = rule_.mask_shape(input.shape);
  shape_ = input.shape;
  training_ = training;
  if (!training) return pass_through(input, output);
  draw_by(rule_, probability_, stream_, mask_);
  response_ = response_to(rule_, mask_);
  apply_mask(mask_, response_, input, output);
}

void MaskedLayer::backward(const TensorView& grad_output,
                           const TensorView& grad_input) {
  require_gradient_shape(grad_output, shape_);
  if (!training_) return pass_through(grad_output, grad_input);
  apply_mask_backward(mask_, response_, grad_output, grad_input);
}

std::uint64_t MaskedLayer::drive(const TensorView& input,
                                 std::span<const std::uint64_t> words,
                                 const TensorView& output) {
  return while_playing(stream_, words, [&] { forward(input, true, output); });
}

void require_gradient_shape(const TensorView& gradient,
                            const std::optional<Shape>& expected) {
  if (!expected) {
    throw std::invalid_argument("backward needs a forward call before it");
  }
  if (gradient.shape != *expected) {
    throw std::invalid_argument(
        fmt::format("gradient has shape {}, but the latest output has {}",
                    to_string(gradient.shape), to_string(*expected)));
  }
}

}  // namespace dropcheck::impl::reference
