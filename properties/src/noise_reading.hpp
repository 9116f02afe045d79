#pragma once

#include <vector>

#include "dropcheck/properties/identify.hpp"
#include "probe.hpp"

namespace dropcheck::properties {

/// The law of noise that multiplies, beside its moments.
struct NoiseEvidence {
  NoiseReading noise;
  std::vector<bool> shared;     ///< axes of the result that share a factor
  double drop_probability = 0;  ///< whose drop / keep is the variance
  stats::Interval interval;     ///< of it, given normal noise of mean 1
};

/// Reads 2^20 factors, one a unit, and compares them with N(1, drop / keep) at
/// the variance that they show: 64 cells of equal probability, and the mean.
/// Rounding to the dtype is allowed for. `probe.values.noise` must multiply.
///
/// Errors  the interval, the mean and the shape are each wrong with probability
///         at most exp(-log_inverse_alpha); the cells at the estimated variance
///         cost a factor of order 1 on top.
NoiseEvidence read_noise_law(BlackBox& box, const Probe& probe,
                             double log_inverse_alpha);

}  // namespace dropcheck::properties
