#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "dropcheck/impl/registry.hpp"

namespace dropcheck::properties::todays_tests {

/// One situation in which a test looks at a layer.
struct Case {
  double drop = 0.5;
  impl::Shape shape;
  std::int64_t calls = 1;  ///< Successive training calls.
  std::string layer = {};  ///< Only for entries of this law; empty: for all.

  double keep() const { return 1 - drop; }
};

/// One layer in the hands of a test. Whatever it throws is a failed test.
///
/// Beside the assertions that a test is known to make it is granted more: each
/// training output is the kept or the dropped value, evaluation and p = 0 are
/// the identity. `granted` says whether these hold too.
class Trial {
 public:
  Trial(const impl::SubjectEntry& entry, std::uint64_t seed);
  ~Trial();

  /// The results of all training calls of a new layer on a tensor of equal
  /// values, one after the other. Valid until the next call. Throws
  /// std::runtime_error where shape or dtype are not the input's.
  std::span<const float> train(const Case& situation, double value,
                               bool in_place = false);
  /// The gradient of the latest call, which must have been the only one.
  std::span<const float> gradient(double value);
  /// Whether evaluation returns the input, bit for bit.
  bool evaluates_to_input();

  bool can_in_place() const;
  const std::string& layer() const { return entry_.layer; }
  bool granted();

 private:
  void make(const Case& situation, bool in_place);
  std::span<const float> read(const impl::TensorView& view,
                              const impl::Shape& shape);
  void look_at_values(const Case& situation, double value);
  bool keeps_input(bool training);

  impl::SubjectEntry entry_;
  std::uint64_t seed_;
  std::unique_ptr<impl::Subject> subject_;
  std::unique_ptr<impl::Layer> layer_;
  impl::LayerConfig config_;
  impl::Shape shape_;
  std::vector<float> values_;
  bool right_values_ = true;
};

}  // namespace dropcheck::properties::todays_tests
