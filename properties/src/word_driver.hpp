#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <vector>

#include "dropcheck/impl/law.hpp"
#include "dropcheck/impl/subject.hpp"

namespace dropcheck::properties {

/// Why nothing can be proved of a layer word by word. No defect by itself:
/// rejection, geometric skipping and bit slicing are ways to be right.
struct Undrivable : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Drives one layer with given words and reads one decision from each.
///
/// The input is 1 everywhere, and each unit is one element: a call returns two
/// values, which are found once.
class WordDriver {
 public:
  /// Throws Undrivable for a layer that cannot be driven.
  WordDriver(std::unique_ptr<impl::Layer> layer, const impl::Law& law,
             const impl::LayerConfig& config);

  int word_bits() const { return word_bits_; }
  std::uint64_t last_word() const {
    return ~std::uint64_t{0} >> static_cast<unsigned>(64 - word_bits_);
  }

  /// How many units a call has that is asked for `count`: a multiple of the
  /// number of samples of drop_connect.
  std::size_t units(std::size_t count) const;

  /// Decisions of one call on `units(words.size())` units, 1 for a dropped
  /// one; the first words.size() of them are returned. Throws Undrivable unless
  /// each read one word.
  std::vector<std::uint8_t> decide(std::span<const std::uint64_t> words);

  /// Number of dropped ones among them, faster.
  std::uint64_t count_dropped(std::span<const std::uint64_t> words);

  /// Bit patterns of the two values. Throws Undrivable if some words make more
  /// than two. To be called, or copied from another driver, before decisions.
  struct Values {
    std::uint64_t kept = 0;
    std::uint64_t dropped = 0;
  };
  Values find_values(std::span<const std::uint64_t> words);
  void use(const Values& values) { values_ = values; }

 private:
  struct Frame {
    impl::Shape shape;       ///< of the input, all extents 1
    std::size_t axis = 0;    ///< that takes the units
    bool by_repeat = false;  ///< one unit a call
  };
  static Frame frame_of(const impl::Law& law, const impl::LayerConfig& config);

  /// `words` for all units of a call, and spare ones.
  std::span<const std::uint64_t> padded(std::span<const std::uint64_t> words);
  impl::Driven answer(std::span<const std::uint64_t> words);
  /// The compact output of one call, an element for each unit.
  impl::TensorView drive(std::span<const std::uint64_t> words);
  const impl::Tensor& input_for(std::size_t units);

  std::unique_ptr<impl::Layer> layer_;
  const impl::Law& law_;
  impl::LayerConfig config_;
  Frame frame_;
  std::size_t samples_;
  int word_bits_;
  Values values_;
  impl::Tensor input_;
  impl::Tensor compact_;
  std::vector<std::uint64_t> padded_;
};

}  // namespace dropcheck::properties
