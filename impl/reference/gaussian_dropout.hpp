#pragma once

#include "reference/noise_layer.hpp"

namespace dropcheck::impl::reference {

/// Gaussian dropout: every element is multiplied by normal noise of mean 1 and
/// of the variance that inverted dropout has.
///
/// Shape   any, rank 0 and empty tensors included.
/// Values  x * z; in place if configured. x itself at drop probability 0.
/// Law     independent z ~ N(1, drop / keep) per element.
/// Draws   two 64-bit words for every two elements, row-major, by the method
///         of Box and Muller; the last pair in full.
/// Errors  std::domain_error for a drop probability outside [0, 1) or NaN: at
///         1 the variance has no bound.
/// Source  Srivastava et al. 2014, JMLR 15; keras.layers.GaussianDropout.
NoiseRule gaussian_dropout(const LayerConfig& config);

/// Fills independent standard normal numbers.
void fill_normal(RandomStream& stream, std::span<double> numbers);

}  // namespace dropcheck::impl::reference
