#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dropcheck/impl/law.hpp"

namespace dropcheck::properties {

/// A value that breaks the law.
struct Breach {
  std::int64_t element = 0;  ///< row-major
  std::string what;          ///< e.g. "is 3.5, neither kept nor dropped"
};

/// Reads single results of one input against the law, whatever their shape: no
/// calibration and no chance. What it judges
///
/// masks   every value is the kept or the dropped one of its own element, up to
///         a few units of the last place (value_tolerance), and units are not
///         split.
/// blocks  where the scale is measured: survivors share one scale of at least
///         1; which elements they are is not judged.
/// noise   a zero stays a zero, and results are numbers.
class LawReading {
 public:
  /// `base` is what the mask multiplies, of the output's shape.
  LawReading(const impl::Law& law, const impl::LayerConfig& config,
             impl::Tensor base);

  /// Judges one result of the base's shape and dtype, and counts its values.
  std::optional<Breach> judge(const impl::TensorView& result);

  /// Whether `value` is what is due where the element `element` is kept.
  bool is_kept(std::int64_t element, double value) const;
  bool is_dropped(double value) const;
  /// Results are told apart by their values: not so for noise.
  bool reads_places() const { return kind_ != Kind::kNoise; }

  std::uint64_t kept() const { return kept_; }
  std::uint64_t dropped() const { return dropped_; }
  /// Elements that were kept at least once; all of them for noise.
  bool kept_each() const { return never_kept_ == 0; }

 private:
  enum class Kind { kMask, kMeasured, kNoise };
  struct Due {
    double value = 0;
    double tolerance = 0;
  };

  std::optional<Breach> judge_value(std::int64_t element, double value);
  std::optional<Breach> split_unit(const std::vector<double>& values) const;
  void count_kept(std::int64_t element);

  Kind kind_ = Kind::kMask;
  impl::Affine map_;
  impl::Tensor base_;
  impl::DType precision_;       // of the scale
  std::vector<double> values_;  // of the base
  std::vector<Due> due_;        // of the elements, where kept
  Due dropped_due_;
  std::vector<std::uint32_t> units_;  // of the elements
  std::vector<bool> was_kept_;
  std::size_t never_kept_ = 0;
  std::uint64_t kept_ = 0;
  std::uint64_t dropped_ = 0;
  double scale_ = 0;  // of the result at hand, where it is measured
};

/// All values of a view, row-major.
std::vector<double> values_of(const impl::TensorView& view);

}  // namespace dropcheck::properties
