#pragma once

#include "dropcheck/stats/counts.hpp"

namespace dropcheck::stats {

/// ln of the likelihood of independent decisions at p0 over the largest one in
/// null_rates, which is at the pooled rate, clamped.
///
/// What turns an e-value against the single rate p0 into one against every rate
/// of the null: universal inference. At most 0 where p0 is in the null; plus
/// infinity where the null makes the data impossible; 0 without data.
double log_null_ratio(const Counts& all, double p0, Interval null_rates);

}  // namespace dropcheck::stats
