#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "dropcheck/impl/guarded_bytes.hpp"
#include "dropcheck/impl/piecewise.hpp"
#include "dropcheck/impl/subject.hpp"

namespace dropcheck::impl {

/// A layer that writes its result where it is told: to `output`, which has the
/// law's output shape and may be the input itself (in place).
template <class T>
concept WritingLayer = requires(T layer, const TensorView& view,
                                bool training) {
  layer.forward(view, training, view);
};

/// A layer that returns its result in memory of its own.
template <class T>
concept ReturningLayer = requires(T layer, const TensorView& view,
                                  bool training) {
  { layer.forward(view, training) } -> std::convertible_to<Tensor>;
};

/// What a C++ layer must offer to be a subject in process: `forward`, in one of
/// the two forms. It may also offer
///
///   Shape output_shape(const TensorView& input)   where it is not the input's
///   void reseed(std::uint64_t seed)               to be repeatable
///   void backward(const TensorView& grad_output,  gradient of the latest call
///                 const TensorView& grad_input)
///   T clone()                                     with its random state
///   std::vector<std::uint8_t> mask()              of the latest call, one for
///                                                 each element, 1 is kept
///
/// and is held to what it offers: without `reseed` its findings cannot be
/// repeated exactly, without `backward` no gradient is checked. Views are lent
/// for one call; the oracle overwrites their memory afterwards. A layer throws
/// std::exception to refuse a call.
template <class T>
concept InProcessLayer = std::move_constructible<T> &&
    (WritingLayer<T> || ReturningLayer<T>);

template <class T>
concept ReshapingLayer = requires(T layer, const TensorView& view) {
  { layer.output_shape(view) } -> std::convertible_to<Shape>;
};
template <class T>
concept ReseedableLayer = requires(T layer, std::uint64_t seed) {
  layer.reseed(seed);
};
template <class T>
concept DifferentiableLayer = requires(T layer, const TensorView& view) {
  layer.backward(view, view);
};

template <class T>
concept ClonableLayer = requires(T layer) {
  { layer.clone() } -> std::convertible_to<T>;
};

template <class T>
concept MaskedOutput = requires(T layer) {
  { layer.mask() } -> std::convertible_to<std::vector<std::uint8_t>>;
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

/// A layer that can show the results of training calls piece by piece
/// (`PiecewiseLayer`); false where it cannot.
template <class T>
concept ShowsPieces = requires(T layer, const TensorView& view,
                               PieceCalls calls, const TakePiece& take) {
  { layer.forward_in_pieces(view, calls, take) } -> std::convertible_to<bool>;
};

namespace detail {

/// The part of `SimpleLayer` that does not depend on the layer's type.
class CallBuffers {
 public:
  /// Room for `repeat` results of one shape, reused from call to call.
  TensorView results(const Shape& shape, DType dtype, std::int64_t repeat);
  /// Throws MemoryViolation if something was written beside that room.
  void require_whole(std::string_view name);

 private:
  GuardedBytes bytes_;
  DType dtype_ = DType::kFloat32;
  Shape shape_ = {0};
};

/// Result number `index` of stacked results.
TensorView slice(const TensorView& stacked, const Shape& shape,
                 std::int64_t index);

/// Rethrows what a layer threw: the errors of subject.hpp that a layer throws
/// as they are, and std::bad_alloc, which is no refusal; all else as
/// LayerError.
[[noreturn]] void rethrow_as_layer_error();

/// Throws LayerError where successive results differ in shape or dtype.
void require_same_kind(const TensorView& first, const TensorView& later);

}  // namespace detail

/// Wraps an InProcessLayer as a Layer: buffers, repeats, in place, errors.
template <InProcessLayer T>
class SimpleLayer final : public Layer, public PiecewiseLayer {
 public:
  /// Throws NotSupported for a ReturningLayer in place.
  SimpleLayer(T layer, bool in_place)
      : layer_(std::move(layer)), in_place_(in_place) {
    if (in_place && !WritingLayer<T>) {
      throw NotSupported("a layer that returns its result is not in place");
    }
  }

  TensorView forward(const Call& call) override {
    return checked([&] {
      if constexpr (WritingLayer<T>) {
        return run(call,
                   [&](const TensorView& input, const TensorView& output) {
                     layer_.forward(input, call.training, output);
                   });
      } else {
        return call.repeat == 1 ? returned(call) : returned_repeatedly(call);
      }
    });
  }

  bool forward_in_pieces(const Call& call, const TakePiece& take) override {
    if constexpr (ShowsPieces<T>) {
      if (!call.training) return false;
      return layer_.forward_in_pieces(call.input, {call.repeat, in_place_},
                                      take);
    }
    return false;
  }

  TensorView backward(const TensorView& grad_output) override {
    if constexpr (DifferentiableLayer<T>) {
      return checked([&] {
        const TensorView result =
            gradients_.results(input_shape_, grad_output.dtype, 1);
        layer_.backward(grad_output, result);
        return result;
      });
    }
    throw NotSupported("the layer has no backward pass");
  }

  void reseed(std::uint64_t seed) override {
    if constexpr (ReseedableLayer<T>) {
      return checked([&] { layer_.reseed(seed); });
    }
    throw NotSupported("the layer cannot be reseeded");
  }

  std::span<const std::uint8_t> mask() override {
    if constexpr (MaskedOutput<T>) {
      checked([&] { mask_ = layer_.mask(); });
      return mask_;
    }
    return Layer::mask();
  }

  std::unique_ptr<Layer> clone() override {
    if constexpr (ClonableLayer<T>) {
      try {
        return std::make_unique<SimpleLayer>(layer_.clone(), in_place_);
      } catch (...) {
        detail::rethrow_as_layer_error();
      }
    }
    return Layer::clone();
  }

  int word_bits() const override {
    if constexpr (DrivableLayer<T>) return layer_.word_bits();
    return 0;
  }

  Driven drive(const Call& call,
               std::span<const std::uint64_t> words) override {
    if constexpr (DrivableLayer<T>) {
      return checked([&] {
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
  /// Turns what the layer throws into a refusal, and looks beside its output.
  template <class F>
  auto checked(const F& f) {
    try {
      if constexpr (std::is_void_v<decltype(f())>) {
        f();
      } else {
        const auto result = f();
        results_.require_whole("its output");
        gradients_.require_whole("its gradient");
        return result;
      }
    } catch (...) {
      detail::rethrow_as_layer_error();
    }
  }

  Shape output_shape(const TensorView& input) {
    if constexpr (ReshapingLayer<T>) {
      return layer_.output_shape(input);
    } else {
      return input.shape;
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
      result = results_.results(output_shape(call.input), call.input.dtype, 1);
    }
    once(call.input, result);
    return result;
  }

  // In place, every call starts from a fresh copy of the input: a mask on top
  // of a mask would not be the layer that is asked for.
  template <class Once>
  TensorView repeated(const Call& call, const Once& once) {
    const Shape shape = output_shape(call.input);
    TensorView stacked = results_.results(shape, call.input.dtype, call.repeat);
    for (std::int64_t i = 0; i < call.repeat; ++i) {
      const TensorView result = detail::slice(stacked, shape, i);
      if (in_place_) copy(call.input, result);
      once(in_place_ ? result : call.input, result);
    }
    return stacked;
  }

  TensorView returned(const Call& call) {
    input_shape_ = call.input.shape;
    returned_ = layer_.forward(call.input, call.training);
    return returned_.view();
  }

  TensorView returned_repeatedly(const Call& call) {
    TensorView stacked;
    for (std::int64_t i = 0; i < call.repeat; ++i) {
      const TensorView result = returned(call);
      if (i == 0) {
        stacked = results_.results(result.shape, result.dtype, call.repeat);
      }
      const TensorView place = detail::slice(
          stacked, {stacked.shape.begin() + 1, stacked.shape.end()}, i);
      detail::require_same_kind(place, result);
      copy(result, place);
    }
    return stacked;
  }

  T layer_;
  bool in_place_;
  Shape input_shape_;
  detail::CallBuffers results_;
  detail::CallBuffers gradients_;
  Tensor returned_;  // of a ReturningLayer
  std::vector<std::uint8_t> mask_;
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
    } catch (...) {
      detail::rethrow_as_layer_error();
    }
  }

 private:
  Description description_;
  Make make_;
};

}  // namespace dropcheck::impl
