#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "dropcheck/impl/aligned_bytes.hpp"
#include "dropcheck/impl/piecewise.hpp"
#include "dropcheck/impl/unit_bits.hpp"
#include "reference/masking.hpp"

namespace dropcheck::impl::reference {

/// A dropout law in two sentences: which elements share a decision, and what
/// becomes of kept and dropped values.
struct MaskRule {
  /// Shape of the mask for an input of a shape: an extent of 1 on every shared
  /// axis. Throws std::invalid_argument for a rank that has no meaning.
  std::function<Shape(const Shape&)> mask_shape;
  Response response;
  /// Fills a mask that has its shape; empty: independent decisions, one word
  /// each.
  std::function<void(RandomStream&, Mask&)> draw = {};
  /// The twin of `draw` that writes bits (UnitBits) for a mask of a shape.
  std::function<void(RandomStream&, const Shape&, std::uint64_t*)> draw_bits =
      {};
  /// The scale is not that of `response`, but entries / kept entries of each
  /// mask (drop_block).
  bool measures_scale = false;
};

/// Fills a mask by a rule's `draw`, or by independent decisions.
void draw_by(const MaskRule& rule, Probability probability,
             RandomStream& stream, Mask& mask);

/// The response of a rule to one mask. A measured scale is 0 where nothing is
/// kept.
Response response_to(const MaskRule& rule, const Mask& mask);

/// Which code a layer runs. The fast one gives the same bits.
enum class Path { kFast, kReadable };

/// The layer that follows a rule: masks in training, the identity at
/// evaluation.
///
/// Shape   as the rule has it; the output has the input's shape and dtype.
/// Law     independent Bernoulli(keep) decisions, or what the rule draws;
///         y = response.
/// Draws   one decision per unit and training call, in index order, even
///         when the drop probability is 0 or 1, or as the rule says; none at
///         evaluation.
/// Throws  std::domain_error for a drop probability outside [0, 1],
///         std::invalid_argument for a wrong rank.
class MaskedLayer {
 public:
  MaskedLayer(const LayerConfig& config, MaskRule rule,
              Path path = Path::kFast);

  Shape output_shape(const TensorView& input) const;
  void forward(const TensorView& input, bool training,
               const TensorView& output);

  /// Calls of `forward` in training, 8 KiB at a time in memory that is used
  /// again, calls in turn; in place on a copy of the input's. False for the
  /// readable path and for tensors that are not compact.
  bool forward_in_pieces(const TensorView& input, PieceCalls calls,
                         const TakePiece& take);

  /// The gradient uses mask and scale of the latest forward call. Throws
  /// std::invalid_argument unless `grad_output` has the shape of that call.
  void backward(const TensorView& grad_output, const TensorView& grad_input);

  void reseed(std::uint64_t seed) { stream_.reseed(seed); }

  MaskedLayer clone() const { return *this; }

  /// 1 for each element that the latest forward call kept: all of them at
  /// evaluation. Throws std::invalid_argument before the first one.
  std::vector<std::uint8_t> mask();

  /// Number of 64-bit words and decisions drawn since the last reseed.
  std::uint64_t drawn() const { return stream_.drawn(); }

  /// `forward` in training with given words; returns how many it read.
  int word_bits() const { return 64; }
  std::uint64_t drive(const TensorView& input,
                      std::span<const std::uint64_t> words,
                      const TensorView& output);

  /// Where the words come from, for layers made of this one.
  RandomStream& stream() { return stream_; }

 private:
  /// Whether a call goes by bits: the fast path, in compact tensors.
  bool goes_by_bits(const TensorView& input, const TensorView& output) const;
  /// Draws the bits of the mask; returns those of elements of a shape.
  const std::uint64_t* draw_bits(const Shape& shape);
  const std::uint64_t* element_bits(const Shape& shape) const;
  /// Draws the decisions of `count` elements for each of several calls, or
  /// their whole masks, into `piece_bits_`, `stride` words apart.
  void draw_calls(const Shape& shape, std::size_t count, std::size_t stride);
  /// Fills `mask_` from `bits_`, where that is still to be done.
  void spell_out();

  Probability probability_;
  MaskRule rule_;
  Path path_;
  RandomStream stream_;
  Mask mask_;  // its bytes may still be to come from `bits_`
  std::vector<std::uint64_t> bits_;
  std::vector<std::uint64_t> spread_;  // by `places_`, where units are shared
  std::optional<UnitBits> places_;
  Shape places_shape_;
  bool bits_only_ = false;
  AlignedBytes piece_;
  std::vector<std::uint64_t> piece_bits_;  // of the elements of some calls
  std::vector<Response> piece_responses_;  // to the masks of these
  Response response_;                      // to that mask
  std::optional<Shape> shape_;             // of the latest call
  bool training_ = false;                  // in the latest call
};

/// Throws std::invalid_argument unless `gradient` has the `expected` shape;
/// there is none before the first forward call.
void require_gradient_shape(const TensorView& gradient,
                            const std::optional<Shape>& expected);

}  // namespace dropcheck::impl::reference
