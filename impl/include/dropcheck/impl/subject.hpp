#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "dropcheck/impl/config.hpp"
#include "dropcheck/impl/law_options.hpp"
#include "dropcheck/impl/mask_recipe.hpp"
#include "dropcheck/impl/strides.hpp"
#include "dropcheck/impl/tensor.hpp"

namespace dropcheck::impl {

/// What a subject says of itself. Reports show it; no check reads it, but for
/// the capabilities, which say what may be asked.
struct Description {
  std::string name;
  std::string version;
  std::vector<DType> dtypes = {DType::kFloat32, DType::kFloat64};
  bool reseed = true;     ///< `reseed` makes the masks repeatable
  bool own_state = true;  ///< an instance shares no generator with another
  bool backward = true;
  bool in_place = false;
  bool mask_output = false;  ///< `mask` tells what was kept
  bool clone = false;        ///< `clone` copies a layer with its random state
  Strides strides = Strides::kCompact;  ///< of inputs and gradients
  std::string generator;  ///< e.g. "philox4x32-10"; empty if unknown
  /// How its masks follow from a seed, so that they can be recomputed.
  std::optional<MaskRecipe> recipe;
  /// Where it does otherwise than a layer that declares nothing, each option at
  /// most once. What its SubjectEntry declares comes first.
  DeclaredOptions options;
};

/// One request: `repeat` successive calls of the layer on one input.
struct Call {
  TensorView input;
  bool training = true;
  /// k >= 1 successive calls without reseeding. For k > 1 the outputs are
  /// stacked on a new first axis.
  std::int64_t repeat = 1;
  /// Other than 0: all calls of this number begin with the same bytes in
  /// `input`, so that a worker which has them need not be sent them again.
  std::uint64_t input_number = 0;
};

/// What a call returned whose random words were given.
struct Driven {
  TensorView output;             ///< borrowed like a result of `forward`
  std::uint64_t words_read = 0;  ///< words that were taken, used or not
};

/// The layer refused the request by an error of its own: often the right
/// answer. The message is the layer's.
struct LayerError : std::runtime_error {
  using std::runtime_error::runtime_error;
};
/// The subject declares that it cannot do this.
struct NotSupported : std::runtime_error {
  using std::runtime_error::runtime_error;
};
/// The process behind the subject ended by itself.
struct SubjectCrashed : std::runtime_error {
  using std::runtime_error::runtime_error;
};
/// A call took longer than the limit.
struct SubjectTimeout : std::runtime_error {
  using std::runtime_error::runtime_error;
};
/// The layer touched memory that it was not lent. The message says where, as
/// the end of a sentence that begins with the layer.
struct MemoryViolation : std::runtime_error {
  using std::runtime_error::runtime_error;
};
/// The adapter, not the layer, broke: garbage in the protocol, no such file.
struct AdapterError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// One place in a network where a drop layer stands, in one call.
struct Tap {
  TensorView residual;  ///< h; no data where nothing is added
  TensorView branch;    ///< branch(h), what the drop layer gets
  TensorView output;    ///< h + layer(branch(h)), or layer(branch(h))
};

/// One configured layer with its random state.
class Layer {
 public:
  virtual ~Layer() = default;

  /// Runs the layer. The result is borrowed: it is valid until the next call
  /// on this layer. In place (LayerConfig::in_place) it is the input's memory.
  /// Throws one of the errors above.
  virtual TensorView forward(const Call& call) = 0;

  /// Gradient with respect to the input of the latest forward call, which must
  /// have had repeat 1. Borrowed like a result of `forward`.
  virtual TensorView backward(const TensorView& grad_output) = 0;

  /// The mask that the layer hands out beside its result, as ONNX's Dropout
  /// does: of the latest forward call, which must have had repeat 1; one byte
  /// for each element of the result, row-major, 1 where it was kept and 0 where
  /// it was dropped. Borrowed like a result of `forward`. Throws NotSupported
  /// where the layer hands out none.
  virtual std::span<const std::uint8_t> mask() {
    throw NotSupported("the layer hands out no mask");
  }

  /// Sets the random state. Throws NotSupported if that cannot be done.
  virtual void reseed(std::uint64_t seed) = 0;

  /// Another layer, with the configuration and the random state of this one:
  /// the same calls give both the same masks, and neither hears of the calls of
  /// the other. Which call is the latest is not copied: `backward` needs
  /// another one first. Throws NotSupported if that cannot be done.
  virtual std::unique_ptr<Layer> clone() {
    throw NotSupported("the layer cannot be cloned");
  }

  /// Bits of a random word as `drive` takes it, 1 to 64: what one decision
  /// reads. 0 where the layer cannot be driven.
  virtual int word_bits() const { return 0; }

  /// A training call that decides by given words instead of the generator's.
  ///
  /// Words   right-aligned, the i-th one for the i-th unit in row-major order,
  ///         call after call. The generator stays as it was.
  /// Code    from the word to the output that of `forward`: what is proved
  ///         about driven calls must hold for the others.
  /// Throws  NotSupported where the layer cannot be driven, LayerError where it
  ///         reads more words than there are.
  virtual Driven drive(const Call& /*call*/,
                       std::span<const std::uint64_t> /*words*/) {
    throw NotSupported("the layer does not take its random words from outside");
  }

  /// The inside of a network in the latest forward call, which must have had
  /// repeat 1: one tap a drop layer, in the order of NetworkLaw. Borrowed like
  /// a result of `forward`; empty for a layer.
  virtual std::span<const Tap> taps() const { return {}; }
};

/// An implementation under test: something that makes layers.
class Subject {
 public:
  virtual ~Subject() = default;

  virtual const Description& describe() const = 0;

  /// Builds a layer. Throws LayerError where the implementation refuses the
  /// configuration, NotSupported where it declares that it lacks it.
  virtual std::unique_ptr<Layer> make(const LayerConfig& config) = 0;
};

}  // namespace dropcheck::impl
