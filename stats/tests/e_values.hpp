#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace dropcheck::stats {

/// An e-value of this library, made small enough to enumerate. Whoever adds an
/// e-value to stats/ adds an entry in e_values.cpp: calibration_test.cpp then
/// computes its mean over all masks, at every look and at a stopping time that
/// was chosen to fool it.
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

}  // namespace dropcheck::stats
