#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace dropcheck::stats {

/// An e-value of this library, made small enough to enumerate. Whoever adds an
/// e-value to stats/ adds an entry in every_e_value.cpp: its mean over all
/// masks is then computed by the tests and by `dropcheck self-test`.
struct EValueCase {
  std::string name;

  /// ln of the e-value of the first n units; bit i of the mask is set where
  /// unit i is dropped.
  std::function<double(std::uint32_t mask, int n)> log_e;

  /// Drop probabilities of the null, at which the mean must be at most 1.
  std::vector<double> rates;

  /// Whether the mean is exactly 1 at these rates.
  bool exact = false;

  /// Units enumerated; the e-value is looked at after every `step` of them.
  int units = 12;
  int step = 1;
};

std::vector<EValueCase> every_e_value();

/// The means of one e-value under its null.
struct Calibration {
  double smallest_mean = 0;
  double largest_mean = 0;
  /// At most 1, and 1 where the case says so, up to `kCalibrationError`.
  bool right = false;
};

inline constexpr double kCalibrationError = 1e-11;

/// Computes them by enumeration of all masks: at every look, and at stopping
/// times that end the run as soon as it is ahead by 1 + 1e-9, 2 or 10.
///
/// Scale   2^units masks: about 10 ms for 12 units.
/// Throws  std::domain_error unless 1 <= step <= units <= 20 and rates are in
///         [0, 1]; std::invalid_argument if there is no rate.
Calibration calibrate(const EValueCase& e_value);

}  // namespace dropcheck::stats
