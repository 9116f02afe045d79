#pragma once

#include <string>
#include <vector>

#include "context.hpp"
#include "dropcheck/stats/counts.hpp"

namespace dropcheck::properties {

/// What a layer does to kept and dropped units, as it was read.
struct Values {
  double slope = 1;
  double offset = 0;
  double dropped = 0;
};
Values observed_values(const MaskReader& reader);

/// Half a unit in the last place: what rounding a constant may cost.
double rounding(impl::DType dtype);

/// A claim about a layer that holds exactly for the drop rates in a union of
/// intervals: the rate itself, the mean, the variance (STATISTICS 2.c F1).
struct RateClaimSets {
  std::vector<stats::Interval> refuted_outside;
  std::vector<stats::Interval> certified_inside;
};

/// How near to the specified rate a layer in f32 comes: 2^-24 for each random
/// number that a decision depends on.
double realisable_error(const Context& context);

RateClaimSets rate_sets(const Context& context);
RateClaimSets mean_sets(const Context& context);
RateClaimSets variance_sets(const Context& context);

/// p * (1 - p) and the gap between kept and dropped value, against the law's.
struct VarianceRatio {
  double p0;
  double gap_ratio;
  double at(double p) const {
    return p * (1 - p) / (p0 * (1 - p0)) * gap_ratio * gap_ratio;
  }
};
VarianceRatio variance_ratio(const Context& context);

/// ln of the e-value against "the rate is in one of the intervals"; infinite
/// where there is none.
double log_e_outside(const Context& context, const RateClaimSets& sets,
                     const stats::Counts& counts);

/// Whether the confidence sequence at alpha lies inside one interval.
bool certified_inside(const Context& context, const RateClaimSets& sets,
                      const stats::Counts& counts);

/// Whether `check` is certified, or refuted at its own share.
bool decided(const Context& context, std::string_view check,
             const RateClaimSets& sets, const stats::Counts& counts);

/// The confidence sequence of the rate at exp(-level).
stats::Interval rate_interval(const Context& context,
                              const stats::Counts& counts, double level);

}  // namespace dropcheck::properties
