#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dropcheck/impl/aligned_bytes.hpp"
#include "dropcheck/impl/law.hpp"
#include "mask_kernels.hpp"
#include "value_model.hpp"

namespace dropcheck::properties {

/// Reads drop bits back from what a layer returned; never from a generator.
///
/// Calibrated on outputs of a configuration: the rounding model that gives
/// every kept value bit for bit is found. A layer whose values are wrong is
/// still read where it can be: the value that returns for different inputs is
/// then taken for the dropped one, and `exact()` is false.
class MaskReader {
 public:
  /// `base` is what the mask multiplies (the input, or the evaluation output),
  /// of the output's shape, and must outlive the reader; `outputs` are results
  /// of training calls.
  MaskReader(const impl::Law& law, const impl::LayerConfig& config,
             const impl::Tensor& base, std::span<const impl::Tensor> outputs);
  MaskReader(const MaskReader&) = delete;
  MaskReader& operator=(const MaskReader&) = delete;

  /// Whether a value is the dropped value, or the kept value of an element up
  /// to a few units of the last place (a rounding that no model has).
  bool follows_law(std::size_t element, double value) const;

  /// Whether all values of the calibration were the law's: by a rounding model,
  /// or as near as the order of a layer's operations may take them.
  bool follows_law() const;

  std::size_t size() const { return count_; }
  double base(std::size_t element) const;

  /// Words for `element_count(shape)` drop bits; returns the first element
  /// that is neither kept nor dropped, or the count.
  std::size_t read(const void* values, std::uint64_t* words) const {
    return read_part(values, 0, count_, words);
  }
  /// The same for `count` elements from `first` on, a multiple of 64: writes to
  /// their words of `words`, which has room for all.
  std::size_t read_part(const void* values, std::size_t first,
                        std::size_t count, std::uint64_t* words) const;

  bool exact() const { return model_.has_value(); }
  /// False where nothing in the outputs could be told apart as dropped.
  bool readable() const { return readable_; }
  const std::optional<ValueModel>& model() const { return model_; }
  /// What was seen on calibration: kept values on a line, dropped value.
  const Line& line() const { return line_; }
  /// Whether the kept values lie on a straight line, up to rounding.
  bool straight() const;
  double dropped_value() const { return dropped_; }
  bool any_dropped() const { return any_dropped_; }
  /// Largest error of a kept value against the exact law, in units of the
  /// last place; infinite where values are not close to the law at all.
  double largest_error_ulp() const { return largest_error_ulp_; }
  /// A value of the calibration that does not fit the law.
  const std::optional<KeptPair>& misfit() const { return misfit_; }

 private:
  /// Where a factor is no mask, a result below its input counts as dropped.
  void read_factors(const impl::Tensor& base,
                    std::span<const impl::Tensor> outputs);
  /// Whether the outputs hold a number at all; and a zero.
  void note_numbers(std::span<const impl::Tensor> outputs);
  /// Where the scale is measured call by call, all that is not 0 is kept.
  void read_zeros(std::span<const impl::Tensor> outputs);
  // `base` below are the values of `base_`.
  void find_model(const impl::Law& law, const impl::LayerConfig& config,
                  std::span<const double> base,
                  std::span<const impl::Tensor> outputs);
  /// Kept values, one an element where it always gives the same.
  std::vector<KeptPair> classify(std::span<const double> base,
                                 std::span<const impl::Tensor> outputs);
  bool near_dropped(double value) const;
  /// For an element of value `x`.
  double kept_error_ulp(double x, double value) const;
  void learn(std::span<const double> base,
             std::span<const impl::Tensor> outputs);
  void tabulate(std::span<const double> base);

  const impl::Tensor& base_;
  std::size_t count_ = 0;
  impl::Affine map_;
  impl::DType dtype_;
  impl::DType precision_ = impl::DType::kFloat64;  // of the scale
  ValueTolerance tolerance_;
  double near_dropped_ = 0;   ///< of a dropped value, from the law's
  double smallest_step_ = 0;  ///< between values of the dtype
  MaskReading reading_;
  bool noise_ = false;
  impl::AlignedBytes kept_;  ///< or the inputs, where a factor is no mask
  std::optional<ValueModel> model_;
  Line line_;
  double dropped_ = 0;
  bool any_dropped_ = false;
  bool readable_ = true;
  double largest_error_ulp_ = 0;
  std::optional<KeptPair> misfit_;
};

}  // namespace dropcheck::properties
