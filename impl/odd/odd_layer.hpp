#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "dropcheck/impl/config.hpp"
#include "dropcheck/impl/law.hpp"
#include "dropcheck/impl/registry.hpp"
#include "reference/masked_layer.hpp"

namespace dropcheck::impl::odd {

using reference::Mask;
using reference::Response;

/// What a mask is drawn on.
struct Sheet {
  Mask& mask;  ///< has its shape and one entry per unit
  Probability probability;
  std::uint64_t seed;
  std::uint64_t call;  ///< training calls since the latest reseed, from 0
};

/// Fills masks one after the other; keeps what it needs between calls.
using Drawing = std::function<void(const Sheet&)>;

/// Writes the output.
using Applying = void (*)(const Mask&, const Response&, const TensorView& input,
                          const TensorView& output);

/// How a right layer does it otherwise than the reference.
struct Oddity {
  std::string name;     ///< without "odd:"
  std::string layer;    ///< the law that it follows
  std::string summary;  ///< one line
  /// Begins to draw from a seed; empty: as the reference does.
  std::function<Drawing(std::uint64_t seed)> start = {};
  Applying apply = reference::apply_mask;
  /// What it declares; empty: the law's own.
  std::optional<LawOptions> options = {};
};

std::vector<Oddity> odd_draws();
std::vector<Oddity> odd_generators();
std::vector<Oddity> odd_values();

/// The layer of an oddity.
class OddLayer {
 public:
  /// Throws std::domain_error for a drop probability outside [0, 1].
  OddLayer(const LayerConfig& config, const Oddity& oddity);

  Shape output_shape(const TensorView& input) const;
  void forward(const TensorView& input, bool training,
               const TensorView& output);
  void backward(const TensorView& grad_output, const TensorView& grad_input);
  void reseed(std::uint64_t seed);
  OddLayer clone() const { return *this; }

 private:
  Oddity oddity_;
  reference::MaskRule rule_;
  Probability probability_;
  Drawing draw_;
  std::uint64_t seed_ = 0;
  std::uint64_t calls_ = 0;
  Mask mask_;
  std::optional<Shape> shape_;  // of the latest call
  bool masked_ = false;
};

}  // namespace dropcheck::impl::odd
