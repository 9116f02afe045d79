#include "faulty/faulty_layer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <utility>

#include "reference/layers.hpp"

namespace dropcheck::impl::faulty {
namespace {

/// What a layer that ignores its seed starts from: another value every time.
std::uint64_t unrepeatable_seed() {
  static std::atomic<std::uint64_t> count{0};
  return keyed_word(0x5eed, ++count);
}

reference::MaskRule rule_of(const LayerConfig& config) {
  if (const auto make = reference::find_rule(config.layer)) {
    return make(config);
  }
  throw std::invalid_argument(
      fmt::format("there is no faulty layer called '{}'", config.layer));
}

}  // namespace

FaultyLayer::FaultyLayer(LayerConfig config, Fault fault)
    : config_(std::move(config)), fault_(std::move(fault)) {
  if (fault_.drop)
    config_.drop_probability = fault_.drop(config_.drop_probability);
  rule_ = rule_of(config_);
  drop_ = config_.drop_probability;
  if (fault_.response) {
    rule_.response = fault_.response(config_, rule_.response);
    rule_.measures_scale = false;
  }
  reseed(0);
}

void FaultyLayer::reseed(std::uint64_t seed) {
  if (fault_.seeding == Seeding::kConstant) seed = 42;
  if (fault_.seeding == Seeding::kIgnored) seed = unrepeatable_seed();
  seed_ = seed;
  stream_.reseed(seed);
  if (shared_ != nullptr) *shared_ = stream_;
  calls_ = 0;
  words_.clear();
}

FaultyLayer FaultyLayer::clone() {
  if (fault_.cloning == Cloning::kSharesGenerator && shared_ == nullptr) {
    shared_ = std::make_shared<RandomStream>(stream_);
  }
  FaultyLayer copy = *this;
  if (fault_.cloning == Cloning::kStartsAgain) copy.reseed(seed_);
  if (fault_.cloning == Cloning::kKeepsEvaluation) {
    copy.keeps_evaluation_ = shape_.has_value() && !masked_;
  }
  return copy;
}

Shape FaultyLayer::output_shape(const TensorView& input) const {
  if (!fault_.any_rank) rule_.mask_shape(input.shape);
  return input.shape;
}

Draw FaultyLayer::context() {
  return {mask_,          drop_,  stream_,    seed_,         calls_,
          was_evaluated_, words_, leftovers_, config_.dtype, config_};
}

void FaultyLayer::draw(const Shape& shape) {
  if (!fault_.any_rank) mask_.shape = rule_.mask_shape(shape);
  if (fault_.mask_shape) mask_.shape = fault_.mask_shape(config_, shape);
  if (fault_.draw) {
    mask_.kept.assign(static_cast<std::size_t>(element_count(mask_.shape)), 1);
    fault_.draw(context());
  } else {
    draw_by(rule_, Probability::from_drop(drop_), stream_, mask_);
  }
  response_ = response_to(rule_, mask_);
}

void FaultyLayer::forward(const TensorView& input, bool training,
                          const TensorView& output) {
  shape_ = input.shape;
  masked_ = training || fault_.evaluation == Evaluation::kDrops;
  if (masked_) {
    train(input, output);
  } else {
    evaluate(input, output);
  }
  was_evaluated_ = was_evaluated_ || !training;
}

const TensorView& FaultyLayer::input_to_read(const TensorView& input) {
  if (fault_.memory != Memory::kKeepsFirstInput) return input;
  const bool fits =
      first_input_.shape == input.shape && first_input_.dtype == input.dtype;
  if (!fits) first_input_ = input;
  return first_input_;
}

void FaultyLayer::train(const TensorView& input, const TensorView& output) {
  if (shared_ != nullptr) stream_ = *shared_;
  draw(input.shape);
  if (shared_ != nullptr) *shared_ = stream_;
  if (keeps_evaluation_) {
    std::fill(mask_.kept.begin(), mask_.kept.end(), std::uint8_t{1});
    keeps_evaluation_ = false;
  }
  apply_mask(mask_, response_,
             fault_.reads ? fault_.reads(input) : input_to_read(input),
             fault_.writes ? fault_.writes(input, output) : output);
  if (fault_.spoil) fault_.spoil(context(), input, output);
  if (fault_.gradient == Gradient::kFromOutput) {
    for (std::size_t i = 0; i < mask_.kept.size(); ++i) {
      mask_.kept[i] = output.value(static_cast<std::int64_t>(i)) != 0;
    }
  }
  if (fault_.memory == Memory::kAlsoInput) {
    reference::pass_through(output, input);
  }
  ++calls_;
}

int FaultyLayer::word_bits() const {
  return fault_.word_bits ? fault_.word_bits(config_.dtype) : 64;
}

std::uint64_t FaultyLayer::drive(const TensorView& input,
                                 std::span<const std::uint64_t> words,
                                 const TensorView& output) {
  std::vector<std::uint64_t> upper(words.begin(), words.end());
  const auto shift = static_cast<unsigned>(64 - word_bits());
  for (std::uint64_t& word : upper) word <<= shift;
  return while_playing(stream_, upper, [&] { forward(input, true, output); });
}

void FaultyLayer::evaluate(const TensorView& input, const TensorView& output) {
  if (fault_.evaluation == Evaluation::kDraws) draw(input.shape);
  if (fault_.evaluation != Evaluation::kScales) {
    return reference::pass_through(input, output);
  }
  const double keep = 1 - drop_;
  for (std::int64_t i = 0; i < input.size(); ++i) {
    output.set(i, keep * input.value(i));
  }
}

void FaultyLayer::backward(const TensorView& grad_output,
                           const TensorView& grad_input) {
  reference::require_gradient_shape(grad_output, shape_);
  if (!masked_) return reference::pass_through(grad_output, grad_input);
  Response response = response_;
  if (fault_.gradient == Gradient::kNewMask) draw(grad_output.shape);
  Mask mask = mask_;
  if (fault_.gradient == Gradient::kDraws) draw(grad_output.shape);
  spoil_gradient(mask, response);
  apply_mask_backward(mask, response, grad_output, grad_input);
}

std::vector<std::uint8_t> FaultyLayer::mask() {
  if (!shape_) {
    throw std::invalid_argument("a mask needs a forward call before it");
  }
  const auto count = static_cast<std::size_t>(element_count(*shape_));
  std::vector<std::uint8_t> right(count, 1);
  if (masked_ || (fault_.mask_output == MaskOutput::kKeptAtEvaluation &&
                  !mask_.kept.empty())) {
    right = reference::expanded(mask_, *shape_);
  }
  if (!masked_) return right;
  switch (fault_.mask_output) {
    case MaskOutput::kInverted:
      for (std::uint8_t& kept : right) kept = kept == 0 ? 1 : 0;
      return right;
    case MaskOutput::kOfCallBefore:
      std::swap(right, mask_before_);
      right.resize(count, 1);
      return right;
    case MaskOutput::kAllKept:
      std::fill(right.begin(), right.end(), std::uint8_t{1});
      return right;
    case MaskOutput::kShifted:
      if (!right.empty()) {
        std::rotate(right.begin(), right.end() - 1, right.end());
      }
      return right;
    case MaskOutput::kOfUnits:
      return mask_.kept;
    case MaskOutput::kRight:
    case MaskOutput::kKeptAtEvaluation:
      return right;
  }
  return right;
}

void FaultyLayer::spoil_gradient(Mask& mask, Response& response) {
  auto& kept = mask.kept;
  switch (fault_.gradient) {
    case Gradient::kUnscaled:
      response.scale = 1;
      break;
    case Gradient::kScaledByDrop:
      response.scale = drop_;
      break;
    case Gradient::kScaledTwice:
      response.scale *= response.scale;
      break;
    case Gradient::kInvertedMask:
      for (std::uint8_t& unit : kept) unit = unit == 0 ? 1 : 0;
      break;
    case Gradient::kShiftedMask:
      if (!kept.empty()) std::rotate(kept.begin(), kept.end() - 1, kept.end());
      break;
    case Gradient::kIdentity:
      response.scale = 1;
      std::fill(kept.begin(), kept.end(), std::uint8_t{1});
      break;
    case Gradient::kFirst1024:
      for (std::size_t i = 1024; i < kept.size(); ++i) kept[i] = 0;
      break;
    case Gradient::kRight:
    case Gradient::kNewMask:
    case Gradient::kFromOutput:
    case Gradient::kDraws:
      break;
  }
}

}  // namespace dropcheck::impl::faulty
