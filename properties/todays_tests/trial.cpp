#include "trial.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include "dropcheck/impl/guarded_subject.hpp"
#include "dropcheck/impl/law.hpp"

namespace dropcheck::properties::todays_tests {
namespace {

/// No case takes a right layer longer than a fraction of it.
constexpr std::chrono::seconds kCallLimit{10};

/// The float values that count as one number.
struct Band {
  float lower;
  float upper;
  bool contains(float value) const { return lower <= value && value <= upper; }
};

Band around(double expected) {
  const double room = 1e-5 * std::abs(expected);
  return {static_cast<float>(expected - room),
          static_cast<float>(expected + room)};
}

impl::Tensor filled(const impl::Shape& shape, double value) {
  impl::Tensor tensor(impl::DType::kFloat32, shape);
  for (float& x : tensor.view().floats()) x = static_cast<float>(value);
  return tensor;
}

/// Values that differ, so that those in wrong places are seen.
impl::Tensor ramp(const impl::Shape& shape) {
  impl::Tensor tensor(impl::DType::kFloat32, shape);
  float next = 1;
  for (float& x : tensor.view().floats()) x = next++;
  return tensor;
}

}  // namespace

Trial::Trial(const impl::SubjectEntry& entry, std::uint64_t seed)
    : entry_(entry.guard ? impl::guarded(entry, kCallLimit) : entry),
      seed_(seed),
      subject_(entry_.open()) {}

Trial::~Trial() = default;

void Trial::make(const Case& situation, bool in_place) {
  config_ = {.layer = entry_.layer,
             .drop_probability = situation.drop,
             .in_place = in_place};
  shape_ = situation.shape;
  layer_ = subject_->make(config_);
  layer_->reseed(++seed_);
}

bool Trial::can_in_place() const { return subject_->describe().in_place; }

std::span<const float> Trial::read(const impl::TensorView& view,
                                   const impl::Shape& shape) {
  if (view.shape != shape || view.dtype != impl::DType::kFloat32) {
    throw std::runtime_error("result of another shape or dtype");
  }
  values_.resize(static_cast<std::size_t>(view.size()));
  if (view.compact()) {
    std::ranges::copy(view.floats(), values_.begin());
  } else {
    impl::Tensor copied(impl::DType::kFloat32, shape);
    impl::copy(view, copied.view());
    std::ranges::copy(copied.view().floats(), values_.begin());
  }
  return values_;
}

std::span<const float> Trial::train(const Case& situation, double value,
                                    bool in_place) {
  make(situation, in_place);
  impl::Tensor input = filled(situation.shape, value);
  impl::Shape shape = situation.shape;
  if (situation.calls > 1) shape.insert(shape.begin(), situation.calls);
  read(
      layer_->forward(
          {.input = input.view(), .training = true, .repeat = situation.calls}),
      shape);
  look_at_values(situation, value);
  return values_;
}

void Trial::look_at_values(const Case& situation, double value) {
  const impl::Affine map = impl::affine(impl::law_of(entry_), config_);
  const double right = map.kept_slope() * value + map.kept_offset();
  const Band kept = around(right);
  const Band dropped = around(situation.drop > 0 ? map.dropped_value() : right);
  right_values_ = right_values_ && std::ranges::all_of(values_, [&](float y) {
                    return kept.contains(y) || dropped.contains(y);
                  });
}

std::span<const float> Trial::gradient(double value) {
  impl::Tensor grad = filled(shape_, value);
  return read(layer_->backward(grad.view()), shape_);
}

bool Trial::keeps_input(bool training) {
  impl::Tensor input = ramp(shape_);
  const impl::Tensor before = input;
  const auto values = read(
      layer_->forward({.input = input.view(), .training = training}), shape_);
  return std::memcmp(values.data(), before.bytes(), before.byte_count()) == 0;
}

bool Trial::evaluates_to_input() { return keeps_input(false); }

bool Trial::granted() {
  if (!right_values_ || !evaluates_to_input()) return false;
  make({.drop = 0, .shape = shape_}, false);
  return keeps_input(true);
}

}  // namespace dropcheck::properties::todays_tests
