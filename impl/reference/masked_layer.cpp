#include "reference/masked_layer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "fast/masking.hpp"

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

namespace {

/// What stays in the nearest cache together with what it is made from.
constexpr std::int64_t kPiece = 4096;

}  // namespace

MaskedLayer::MaskedLayer(const LayerConfig& config, MaskRule rule, Path path)
    : probability_(Probability::from_drop(config.drop_probability)),
      rule_(std::move(rule)),
      path_(path) {}

Shape MaskedLayer::output_shape(const TensorView& input) const {
  rule_.mask_shape(input.shape);
  return input.shape;
}

bool MaskedLayer::is_plain(const TensorView& input) const {
  return path_ == Path::kFast && !rule_.draw && mask_.shape == input.shape &&
         fast::covers(input.dtype) && input.compact();
}

void MaskedLayer::draw_bits(std::size_t count) {
  bits_.resize((count + 63) / 64);
  stream_.decide(probability_, count, bits_.data());
}

void MaskedLayer::draw() {
  if (path_ == Path::kReadable || rule_.draw) {
    return draw_by(rule_, probability_, stream_, mask_);
  }
  const auto count = static_cast<std::size_t>(element_count(mask_.shape));
  draw_bits(count);
  mask_.kept.resize(count);
  fast::expand_bits(bits_.data(), count, mask_.kept.data());
}

void MaskedLayer::apply(const Response& response, const TensorView& input,
                        const TensorView& output) const {
  if (path_ == Path::kReadable) {
    apply_mask(mask_, response, input, output);
  } else {
    fast::apply_mask(mask_, response, input, output);
  }
}

void MaskedLayer::forward(const TensorView& input, bool training,
                          const TensorView& output) {
  mask_.shape = rule_.mask_shape(input.shape);
  shape_ = input.shape;
  training_ = training;
  if (!training) return pass_through(input, output);
  bits_only_ = is_plain(input) && output.compact() &&
               output.shape == input.shape && output.dtype == input.dtype;
  if (!bits_only_) {
    draw();
    response_ = response_to(rule_, mask_);
    return apply(response_, input, output);
  }
  const auto count = static_cast<std::size_t>(input.size());
  draw_bits(count);
  response_ = rule_.response;
  fast::apply_bits(bits_.data(), response_,
                   {input.dtype, input.data, output.data, count});
}

bool MaskedLayer::forward_in_pieces(const TensorView& input,
                                    const TakePiece& take) {
  mask_.shape = rule_.mask_shape(input.shape);
  if (!is_plain(input) || rule_.measures_scale) return false;
  shape_.reset();
  const std::size_t width = size_of(input.dtype);
  piece_.resize(static_cast<std::size_t>(kPiece) * width);
  const auto* values = static_cast<const std::byte*>(input.data);
  const std::int64_t size = input.size();
  for (std::int64_t first = 0; first < size; first += kPiece) {
    const std::int64_t count = std::min(kPiece, size - first);
    draw_bits(static_cast<std::size_t>(count));
    fast::apply_bits(
        bits_.data(), rule_.response,
        {input.dtype, values + static_cast<std::size_t>(first) * width,
         piece_.data(), static_cast<std::size_t>(count)});
    take({piece_.data(), 0, first, count});
  }
  return true;
}

void MaskedLayer::spell_out() {
  if (!bits_only_) return;
  mask_.kept.resize(static_cast<std::size_t>(element_count(mask_.shape)));
  fast::expand_bits(bits_.data(), mask_.kept.size(), mask_.kept.data());
  bits_only_ = false;
}

void MaskedLayer::backward(const TensorView& grad_output,
                           const TensorView& grad_input) {
  require_gradient_shape(grad_output, shape_);
  if (!training_) return pass_through(grad_output, grad_input);
  spell_out();
  apply({.scale = response_.scale}, grad_output, grad_input);
}

std::vector<std::uint8_t> MaskedLayer::mask() {
  if (!shape_) {
    throw std::invalid_argument("a mask needs a forward call before it");
  }
  if (training_) {
    spell_out();
    return expanded(mask_, *shape_);
  }
  return std::vector<std::uint8_t>(
      static_cast<std::size_t>(element_count(*shape_)), 1);
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
