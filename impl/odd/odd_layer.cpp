#include "odd/odd_layer.hpp"

#include "dropcheck/impl/random_stream.hpp"
#include "reference/layers.hpp"

namespace dropcheck::impl::odd {
namespace {

Drawing as_the_reference(std::uint64_t seed) {
  return [stream = RandomStream(seed)](const Sheet& sheet) mutable {
    for (std::uint8_t& kept : sheet.mask.kept) {
      kept = sheet.probability.keeps(stream.next()) ? 1 : 0;
    }
  };
}

}  // namespace

OddLayer::OddLayer(const LayerConfig& config, const Oddity& oddity)
    : oddity_(oddity),
      rule_(reference::find_rule(config.layer)(config)),
      probability_(Probability::from_drop(config.drop_probability)) {
  if (!oddity_.start) oddity_.start = as_the_reference;
  reseed(0);
}

Shape OddLayer::output_shape(const TensorView& input) const {
  rule_.mask_shape(input.shape);
  return input.shape;
}

void OddLayer::forward(const TensorView& input, bool training,
                       const TensorView& output) {
  shape_ = input.shape;
  mask_.shape = rule_.mask_shape(input.shape);
  masked_ = training;
  if (!training) return reference::pass_through(input, output);
  mask_.kept.assign(static_cast<std::size_t>(element_count(mask_.shape)), 1);
  draw_({mask_, probability_, seed_, calls_++});
  oddity_.apply(mask_, rule_.response, input, output);
}

void OddLayer::backward(const TensorView& grad_output,
                        const TensorView& grad_input) {
  reference::require_gradient_shape(grad_output, shape_);
  if (!masked_) return reference::pass_through(grad_output, grad_input);
  reference::apply_mask_backward(mask_, rule_.response, grad_output,
                                 grad_input);
}

void OddLayer::reseed(std::uint64_t seed) {
  seed_ = seed;
  calls_ = 0;
  draw_ = oddity_.start(seed);
}

}  // namespace dropcheck::impl::odd
