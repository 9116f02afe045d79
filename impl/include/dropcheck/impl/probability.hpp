#pragma once

#include <cstdint>

namespace dropcheck::impl {

/// The probability that a unit is dropped, together with its complement.
///
/// There is no constructor from double, because libraries mean keep or drop by
/// the same letter. Both directions throw std::domain_error for NaN and for
/// values outside [0, 1].
class Probability {
 public:
  static Probability from_drop(double drop);
  static Probability from_keep(double keep);

  double drop() const { return drop_; }
  double keep() const { return keep_; }

  /// Decides for one uniform 64-bit word whether a unit is kept.
  ///
  /// Law: P(kept) = ceil(keep * 2^64) / 2^64, so the error of the threshold
  /// is below 2^-64; keep = 0 never keeps and keep = 1 always keeps.
  bool keeps(std::uint64_t word) const {
    return always_ || word < keep_threshold_;
  }
  /// A unit is kept by words below this, or by all of them.
  std::uint64_t keep_threshold() const { return keep_threshold_; }
  bool always_keeps() const { return always_; }

 private:
  Probability(double drop, double keep);

  double drop_;
  double keep_;
  std::uint64_t keep_threshold_;
  bool always_;
};

}  // namespace dropcheck::impl
