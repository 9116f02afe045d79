#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "faulty/fault.hpp"

namespace dropcheck::impl::faulty {

/// The reference layer of `config.layer` with one fault built in.
///
/// Draws   those of the reference layer, where the fault leaves them alone.
/// Throws  std::invalid_argument for attention_dropout and drop_connect, which
///         are more than a mask on their input; otherwise as the reference.
class FaultyLayer {
 public:
  FaultyLayer(LayerConfig config, Fault fault);

  Shape output_shape(const TensorView& input) const;
  void forward(const TensorView& input, bool training,
               const TensorView& output);
  void backward(const TensorView& grad_output, const TensorView& grad_input);
  void reseed(std::uint64_t seed);
  FaultyLayer clone();
  std::vector<std::uint8_t> mask();

  /// `forward` in training with given words; returns how many it read.
  int word_bits() const;
  std::uint64_t drive(const TensorView& input,
                      std::span<const std::uint64_t> words,
                      const TensorView& output);

 private:
  Draw context();
  void spoil_gradient(Mask& mask, Response& response);
  void draw(const Shape& shape);
  const TensorView& input_to_read(const TensorView& input);
  void train(const TensorView& input, const TensorView& output);
  void evaluate(const TensorView& input, const TensorView& output);

  LayerConfig config_;
  Fault fault_;
  reference::MaskRule rule_;
  double drop_;
  RandomStream stream_;
  std::uint64_t seed_ = 0;
  std::int64_t calls_ = 0;
  bool was_evaluated_ = false;
  std::vector<std::uint64_t> words_;
  std::vector<std::uint64_t> leftovers_;
  Mask mask_;
  Response response_;                      // to that mask
  std::optional<Shape> shape_;             // of the latest call
  TensorView first_input_;                 // kKeepsFirstInput
  std::vector<std::uint8_t> mask_before_;  // kOfCallBefore
  bool masked_ = false;                    // the latest call applied a mask
  bool keeps_evaluation_ = false;          // until the next training call
  std::shared_ptr<RandomStream> shared_;   // kSharesGenerator, once cloned
};

}  // namespace dropcheck::impl::faulty
