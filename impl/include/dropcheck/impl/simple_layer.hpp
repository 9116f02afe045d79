#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "dropcheck/impl/subject.hpp"

namespace dropcheck::impl {

/// What a C++ layer must offer to be a subject in process.
///
/// `forward` writes the layer's result for one call to `output`, which has the
/// law's output shape and may be the input itself (in place). `backward` gets
/// the latest call's gradient. The layer throws std::exception to refuse.
template <class T>
concept InProcessLayer = requires(T layer, const TensorView& view,
                                  bool training, std::uint64_t seed) {
  { layer.output_shape(view) } -> std::convertible_to<Shape>;
  layer.forward(view, training, view);
  layer.backward(view, view);
  layer.reseed(seed);
};

/// A layer whose random words can be given, so that its decisions can be
/// proved word by word (`Layer::drive`).
///
/// `word_bits` is the width of a word; `drive` is `forward` in training with
/// `words` in place of the generator's, and returns how many it read. It throws
/// where they are too few.
template <class T>
concept DrivableLayer = InProcessLayer<T> &&
    requires(T layer, const T& constant, const TensorView& view,
             std::span<const std::uint64_t> words) {
  { constant.word_bits() } -> std::convertible_to<int>;
  { layer.drive(view, words, view) } -> std::convertible_to<std::uint64_t>;
};

namespace detail {

/// The part of `SimpleLayer` that does not depend on the layer's type.
class CallBuffers {
 public:
  /// Room for `repeat` results of one shape, reused from call to call.
  TensorView results(const Shape& shape, DType dtype, std::int64_t repeat);

 private:
  Tensor storage_;
};

/// Result number `index` of stacked results.
TensorView slice(const TensorView& stacked, const Shape& shape,
                 std::int64_t index);

}  // namespace detail

/// Wraps an InProcessLayer as a Layer: buffers, repeats, in place, errors.
template <InProcessLayer T>
class SimpleLayer final : public Layer {
 public:
  SimpleLayer(T layer, bool in_place)
      : layer_(std::move(layer)), in_place_(in_place) {}

  TensorView forward(const Call& call) override {
    return guarded([&] {
      return run(call, [&](const TensorView& input, const TensorView& output) {
        layer_.forward(input, call.training, output);
      });
    });
  }

  TensorView backward(const TensorView& grad_output) override {
    return guarded([&] {
      TensorView result =
          gradients_.results(input_shape_, grad_output.dtype, 1);
      layer_.backward(grad_output, result);
      return result;
    });
  }

  void reseed(std::uint64_t seed) override { layer_.reseed(seed); }

  int word_bits() const override {
    if constexpr (DrivableLayer<T>) return layer_.word_bits();
    return 0;
  }

  Driven drive(const Call& call,
               std::span<const std::uint64_t> words) override {
    if constexpr (DrivableLayer<T>) {
      return guarded([&] {
        Driven driven;
        driven.output =
            run(call, [&](const TensorView& input, const TensorView& output) {
              const std::uint64_t used =
                  std::min<std::uint64_t>(driven.words_read, words.size());
              driven.words_read +=
                  layer_.drive(input, words.subspan(used), output);
            });
        return driven;
      });
    }
    return Layer::drive(call, words);
  }

 private:
  /// What the layer throws is its refusal, but for what is none.
  template <class F>
  static auto guarded(const F& f) {
    try {
      return f();
    } catch (const NotSupported&) {
      throw;
    } catch (const LayerError&) {
      throw;
    } catch (const std::bad_alloc&) {
      throw;  // Out of memory is no refusal of the layer.
    } catch (const std::exception& error) {
      throw LayerError(error.what());
    }
  }

  template <class Once>
  TensorView run(const Call& call, const Once& once) {
    return call.repeat == 1 ? single(call, once) : repeated(call, once);
  }

  template <class Once>
  TensorView single(const Call& call, const Once& once) {
    input_shape_ = call.input.shape;
    TensorView result = call.input;
    if (!in_place_) {
      result = results_.results(layer_.output_shape(call.input),
                                call.input.dtype, 1);
    }
    once(call.input, result);
    return result;
  }

  // In place, every call starts from a fresh copy of the input: a mask on top
  // of a mask would not be the layer that is asked for.
  template <class Once>
  TensorView repeated(const Call& call, const Once& once) {
    const Shape shape = layer_.output_shape(call.input);
    TensorView stacked = results_.results(shape, call.input.dtype, call.repeat);
    for (std::int64_t i = 0; i < call.repeat; ++i) {
      const TensorView result = detail::slice(stacked, shape, i);
      if (in_place_) copy(call.input, result);
      once(in_place_ ? result : call.input, result);
    }
    return stacked;
  }

  T layer_;
  bool in_place_;
  Shape input_shape_;
  detail::CallBuffers results_;
  detail::CallBuffers gradients_;
};

/// A subject made of a function that builds layers in process.
template <class Make>
class InProcessSubject final : public Subject {
 public:
  InProcessSubject(Description description, Make make)
      : description_(std::move(description)), make_(std::move(make)) {}

  const Description& describe() const override { return description_; }

  std::unique_ptr<Layer> make(const LayerConfig& config) override {
    try {
      return make_(config);
    } catch (const NotSupported&) {
      throw;
    } catch (const std::exception& error) {
      throw LayerError(error.what());
    }
  }

 private:
  Description description_;
  Make make_;
};

}  // namespace dropcheck::impl
