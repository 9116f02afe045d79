#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace dropcheck::stats {

/// Sums probability times e-value over all masks of `bits` iid units: the mean
/// of an e-value, exactly. `log_e` maps a mask, one bit per unit, 1 dropped.
template <typename LogE>
double mean_over_masks(int bits, double p, const LogE& log_e) {
  double mean = 0;
  for (std::uint32_t mask = 0; mask < (1U << bits); ++mask) {
    const int drops = std::popcount(mask);
    mean += std::pow(p, drops) * std::pow(1 - p, bits - drops) *
            std::exp(log_e(mask));
  }
  return mean;
}

}  // namespace dropcheck::stats
