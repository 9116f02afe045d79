#include "reference/masked_layer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
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

/// The same from bits, of which `count` are meant.
Response response_to(const MaskRule& rule,
                     const std::vector<std::uint64_t>& bits,
                     std::size_t count) {
  if (!rule.measures_scale) return rule.response;
  std::int64_t kept = 0;
  for (const std::uint64_t word : bits) kept += std::popcount(word);
  if (kept == 0) return {.scale = 0};
  return {.scale = static_cast<double>(count) / static_cast<double>(kept)};
}

/// Bytes that stay in the nearest cache together with what they are made from
/// and what they are compared with.
constexpr std::size_t kPiece = 8192;
/// Decisions of a single call that are drawn at a time; whole pieces.
constexpr std::int64_t kDrawn = 65536;

}  // namespace

MaskedLayer::MaskedLayer(const LayerConfig& config, MaskRule rule, Path path)
    : probability_(Probability::from_drop(config.drop_probability)),
      rule_(std::move(rule)),
      path_(path) {}

Shape MaskedLayer::output_shape(const TensorView& input) const {
  rule_.mask_shape(input.shape);
  return input.shape;
}

bool MaskedLayer::goes_by_bits(const TensorView& input,
                               const TensorView& output) const {
  return path_ == Path::kFast && (!rule_.draw || rule_.draw_bits) &&
         input.shape == output.shape && input.dtype == output.dtype &&
         input.compact() && output.compact();
}

const std::uint64_t* MaskedLayer::element_bits(const Shape& shape) const {
  return mask_.shape == shape ? bits_.data() : spread_.data();
}

const std::uint64_t* MaskedLayer::draw_bits(const Shape& shape) {
  const auto count = static_cast<std::size_t>(element_count(mask_.shape));
  bits_.resize((count + 63) / 64);
  if (rule_.draw_bits) {
    rule_.draw_bits(stream_, mask_.shape, bits_.data());
  } else {
    stream_.decide(probability_, count, bits_.data());
  }
  response_ = response_to(rule_, bits_, count);
  if (mask_.shape == shape) return bits_.data();
  if (!places_ || places_shape_ != shape) {
    places_.emplace(mask_.shape, shape);
    places_shape_ = shape;
    spread_.resize((static_cast<std::size_t>(element_count(shape)) + 63) / 64);
  }
  places_->spread(bits_.data(), spread_.data());
  return spread_.data();
}

void MaskedLayer::forward(const TensorView& input, bool training,
                          const TensorView& output) {
  mask_.shape = rule_.mask_shape(input.shape);
  shape_ = input.shape;
  training_ = training;
  if (!training) return pass_through(input, output);
  bits_only_ = goes_by_bits(input, output);
  if (!bits_only_) {
    draw_by(rule_, probability_, stream_, mask_);
    response_ = response_to(rule_, mask_);
    return apply_mask(mask_, response_, input, output);
  }
  const std::uint64_t* kept = draw_bits(input.shape);
  fast::apply_bits(kept, response_,
                   {input.dtype, input.data, output.data,
                    static_cast<std::size_t>(input.size())});
}

void MaskedLayer::draw_calls(const Shape& shape, std::size_t count,
                             std::size_t stride) {
  std::uint64_t* to = piece_bits_.data();
  for (Response& response : piece_responses_) {
    if (!rule_.draw && mask_.shape == shape) {
      stream_.decide(probability_, count, to);
      response = rule_.response;
    } else {
      std::copy_n(draw_bits(shape), (count + 63) / 64, to);
      response = response_;
    }
    to += stride;
  }
}

bool MaskedLayer::forward_in_pieces(const TensorView& input, PieceCalls calls,
                                    const TakePiece& take) {
  mask_.shape = rule_.mask_shape(input.shape);
  shape_.reset();
  if (!goes_by_bits(input, input)) return false;
  const std::int64_t size = input.size();
  // The decisions of elements of a single call need not be there at once.
  const bool plain = !rule_.draw && mask_.shape == input.shape;
  const std::int64_t drawn =
      plain && calls.count == 1 ? std::min(kDrawn, size) : size;
  const auto stride = static_cast<std::size_t>((drawn + 63) / 64);
  piece_bits_.resize(stride * static_cast<std::size_t>(calls.count));
  piece_responses_.resize(static_cast<std::size_t>(calls.count));
  const std::size_t width = size_of(input.dtype);
  piece_.resize(kPiece);
  const auto length = static_cast<std::int64_t>(kPiece / width);
  const auto* values = static_cast<const std::byte*>(input.data);
  for (std::int64_t first = 0; first < size; first += length) {
    const std::int64_t place = first % drawn;
    if (place == 0) {
      draw_calls(input.shape,
                 static_cast<std::size_t>(std::min(drawn, size - first)),
                 stride);
    }
    const std::int64_t count = std::min(length, size - first);
    const Response* response = piece_responses_.data();
    const std::uint64_t* kept = piece_bits_.data() + place / 64;
    const auto number = static_cast<std::size_t>(count);
    const auto* from = values + static_cast<std::size_t>(first) * width;
    for (std::int64_t call = 0; call < calls.count; ++call, kept += stride) {
      if (calls.in_place) std::copy_n(from, number * width, piece_.data());
      fast::apply_bits(kept, *response++,
                       {input.dtype, calls.in_place ? piece_.data() : from,
                        piece_.data(), number});
      take({piece_.data(), call, first, count});
    }
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
  const Response response{.scale = response_.scale};
  if (bits_only_ && goes_by_bits(grad_output, grad_input)) {
    return fast::apply_bits(
        element_bits(*shape_), response,
        {grad_output.dtype, grad_output.data, grad_input.data,
         static_cast<std::size_t>(grad_output.size())});
  }
  spell_out();
  apply_mask(mask_, response, grad_output, grad_input);
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
