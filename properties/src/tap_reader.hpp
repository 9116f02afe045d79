#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dropcheck/impl/law.hpp"
#include "dropcheck/impl/subject.hpp"
#include "value_model.hpp"

namespace dropcheck::properties {

/// What became of the unit of a drop layer at a tap.
enum class Fate : std::uint8_t {
  kKept,
  kDropped,
  kEither,  ///< kept and dropped look alike: the branch is zero
  kTorn,    ///< some elements are kept and some dropped
  kOther,   ///< neither
};

/// out = residual * h + branch * branch(h) + offset.
struct Mixture {
  double residual = 0;
  double branch = 0;
  double offset = 0;

  /// "h + 1.25 * branch(h)", "0", "1.11 * (h + branch(h))".
  std::string formula() const;
  bool near(const Mixture& other) const;
};

/// One fate a unit, and how many units do not follow the law.
struct TapReading {
  std::vector<Fate> fates;
  std::int64_t wrong = 0;
  std::int64_t first_wrong = -1;
};

/// A tap as contiguous elements; units follow each other.
struct TapValues {
  impl::DType dtype = impl::DType::kFloat32;
  const void* residual = nullptr;  ///< nullptr where there is none
  const void* branch = nullptr;
  const void* output = nullptr;
  std::int64_t units = 0;
  std::int64_t unit_size = 1;  ///< elements of a unit
};

/// A copy of a tap for calibration.
struct TapCopy {
  std::vector<double> residual;  ///< zeros where there is none
  std::vector<double> branch;
  std::vector<double> output;
  std::int64_t unit_size = 1;

  explicit TapCopy(const TapValues& values);
  std::int64_t units() const {
    return static_cast<std::int64_t>(branch.size()) / unit_size;
  }
};

/// Reads decisions back from what surrounds a drop layer in a network.
///
/// Calibrated on outputs: the rounding model is found that gives every kept
/// value bit for bit. Where a network mixes h and branch(h) otherwise than the
/// law says, its own mixtures are found by least squares, so that its decisions
/// can still be read.
class TapReader {
 public:
  /// `layer` and `config` are those of the drop layer at its own rate.
  TapReader(const impl::Law& layer, const impl::LayerConfig& config,
            bool residual);

  void calibrate(std::span<const TapCopy> copies);

  void read(const TapValues& values, TapReading& reading) const;

  const Mixture& due_kept() const { return due_kept_; }
  const Mixture& due_dropped() const { return due_dropped_; }
  /// What was seen; the law's where nothing else was.
  const Mixture& kept() const { return kept_; }
  const Mixture& dropped() const { return dropped_; }
  /// Whether every unit of the calibration followed the law.
  bool follows_law() const { return learned_.empty(); }
  const std::optional<ValueModel>& model() const { return model_; }
  /// The mixture that fits a unit best; for units of more than one element.
  Mixture fitted(const TapValues& values, std::int64_t unit) const;

 private:
  struct Learned {
    Mixture mixture;
    bool kept;
  };

  template <class T>
  void read_as(const TapValues& values, TapReading& reading) const;
  template <class T>
  std::optional<Fate> lawful_fate(const TapValues& values,
                                  std::int64_t unit) const;
  template <class T>
  bool is_kept(T h, T branch, T output) const;
  template <class T>
  bool is_dropped(T h, T output) const;
  template <class T>
  Fate learned_fate(const TapValues& values, std::int64_t unit) const;

  double kept_error_ulp(double h, double branch, double output) const;
  bool near_dropped(double h, double output) const;
  void find_model(std::span<const TapCopy> copies);
  void learn_units(std::span<const TapCopy> copies);
  void learn_elements(std::span<const TapCopy> copies);
  void add_learned(const Mixture& mixture);

  const impl::Law& layer_;
  impl::LayerConfig config_;
  bool residual_;
  Mixture due_kept_;
  Mixture due_dropped_;
  Mixture kept_;
  Mixture dropped_;
  double dropped_value_ = 0;
  ValueTolerance tolerance_;
  std::optional<ValueModel> model_;
  std::vector<Learned> learned_;
};

}  // namespace dropcheck::properties
