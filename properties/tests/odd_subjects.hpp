#pragma once

#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <utility>

#include "support.hpp"

namespace dropcheck::properties::testing {

/// What a subject does beside dropout: hooks that may throw or spoil. They
/// get the right layer's result and may return another one.
struct Oddity {
  std::function<void()> open = {};
  std::function<void(impl::Description&)> describe = {};
  std::function<void(const impl::LayerConfig&)> make = {};
  std::function<impl::TensorView(const impl::Call&, impl::TensorView,
                                 impl::Tensor& room)>
      forward = {};
  std::function<impl::TensorView(impl::TensorView, impl::Tensor& room)>
      backward = {};
  std::function<void()> reseed = {};
  std::function<void(std::vector<impl::Tap>&)> taps = {};
};

class OddLayer final : public impl::Layer {
 public:
  OddLayer(std::unique_ptr<impl::Layer> layer, const Oddity& odd)
      : layer_(std::move(layer)), odd_(odd) {}
  impl::TensorView forward(const impl::Call& call) override {
    const impl::TensorView result = layer_->forward(call);
    return odd_.forward ? odd_.forward(call, result, room_) : result;
  }
  impl::TensorView backward(const impl::TensorView& grad) override {
    const impl::TensorView result = layer_->backward(grad);
    return odd_.backward ? odd_.backward(result, room_) : result;
  }
  void reseed(std::uint64_t seed) override {
    if (odd_.reseed) odd_.reseed();
    layer_->reseed(seed);
  }
  std::unique_ptr<impl::Layer> clone() override {
    return std::make_unique<OddLayer>(layer_->clone(), odd_);
  }
  std::span<const std::uint8_t> mask() override { return layer_->mask(); }
  int word_bits() const override { return layer_->word_bits(); }
  impl::Driven drive(const impl::Call& call,
                     std::span<const std::uint64_t> words) override {
    return layer_->drive(call, words);
  }
  std::span<const impl::Tap> taps() const override {
    taps_.assign(layer_->taps().begin(), layer_->taps().end());
    if (odd_.taps) odd_.taps(taps_);
    return taps_;
  }

 private:
  std::unique_ptr<impl::Layer> layer_;
  const Oddity& odd_;
  impl::Tensor room_;
  mutable std::vector<impl::Tap> taps_;
};

class OddSubject final : public impl::Subject {
 public:
  OddSubject(std::unique_ptr<impl::Subject> subject, Oddity odd)
      : subject_(std::move(subject)), odd_(std::move(odd)) {
    description_ = subject_->describe();
    if (odd_.describe) odd_.describe(description_);
  }
  const impl::Description& describe() const override { return description_; }
  std::unique_ptr<impl::Layer> make(const impl::LayerConfig& config) override {
    if (odd_.make) odd_.make(config);
    return std::make_unique<OddLayer>(subject_->make(config), odd_);
  }

 private:
  std::unique_ptr<impl::Subject> subject_;
  Oddity odd_;
  impl::Description description_;
};

/// builtin:dropout (or another one) with an oddity.
inline impl::SubjectEntry odd_subject(
    const std::string& name, const Oddity& odd,
    const std::string& base = "builtin:dropout") {
  impl::SubjectEntry entry = subject(base);
  const auto open = entry.open;
  entry.name = name;
  entry.variants.clear();
  entry.open = [open, odd]() -> std::unique_ptr<impl::Subject> {
    if (odd.open) odd.open();
    return std::make_unique<OddSubject>(open(), odd);
  };
  return entry;
}

/// Hooks that return another tensor than the right one.
inline impl::TensorView resized(const impl::TensorView& view,
                                impl::Tensor& room, impl::Shape shape) {
  room = impl::Tensor(view.dtype, std::move(shape));
  return room.view();
}

inline impl::TensorView converted(const impl::TensorView& view,
                                  impl::Tensor& room, impl::DType dtype) {
  room = impl::Tensor(dtype, view.shape);
  for (std::int64_t i = 0; i < view.size(); ++i) {
    room.view().set(i, view.value(i));
  }
  return room.view();
}

inline impl::TensorView filled(const impl::TensorView& view, impl::Tensor& room,
                               double value) {
  room = impl::Tensor(view.dtype, view.shape);
  for (std::int64_t i = 0; i < view.size(); ++i) room.view().set(i, value);
  return room.view();
}

}  // namespace dropcheck::properties::testing
