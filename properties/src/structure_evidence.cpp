#include "structure_evidence.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "dropcheck/properties/number_text.hpp"
#include "dropcheck/stats/beta_binomial.hpp"

namespace dropcheck::properties {

double rate_of(const stats::Counts& counts) {
  return counts.n == 0 ? 0
                       : static_cast<double>(counts.drops) /
                             static_cast<double>(counts.n);
}

DiagnosticRow row_of(const stats::Diagnostic& test) {
  return {test.name,    test.statistic,      test.degrees_of_freedom,
          test.log10_p, test.valid_at_level, test.note};
}

double log_mean(const std::vector<double>& logs) {
  const double largest = *std::max_element(logs.begin(), logs.end());
  if (!std::isfinite(largest)) return largest;
  double sum = 0;
  for (const double log : logs) sum += std::exp(log - largest);
  return largest + std::log(sum / static_cast<double>(logs.size()));
}

std::size_t largest_index(const std::vector<double>& logs) {
  return static_cast<std::size_t>(std::max_element(logs.begin(), logs.end()) -
                                  logs.begin());
}

// Whether the confidence sequence ends within the margin, without its ends: the
// martingale is convex, so it is enough to look at the ends of the margin.
bool within_margin(const stats::Counts& counts, double overall,
                   const Context& context) {
  if (counts.n == 0) return false;
  const double p0 = context.p0();
  const double margin = context.plan.margin;
  const stats::BetaPrior prior =
      stats::prior_around(p0, stats::recommended_kappa(p0, margin));
  const double level = -std::log(context.settings.alpha);
  const auto excluded = [&](double p) {
    return stats::log_martingale(counts, prior, p) >= level;
  };
  const double lower = overall - margin;
  const double upper = overall + margin;
  const double estimate =
      static_cast<double>(counts.drops) / static_cast<double>(counts.n);
  return (lower <= 0 || (estimate > lower && excluded(lower))) &&
         (upper >= 1 || (estimate < upper && excluded(upper)));
}

void note_structure(Finding& finding, const StatisticalInput& input) {
  const Tally& tally = input.battery.structure;
  finding.n = tally.structure_rate.n;
  finding.calls = tally.calls;
}

bool incomplete(Finding& finding, const StatisticalInput& input) {
  if (input.battery.structure_complete) return false;
  finding.verdict = Verdict::kNotRun;
  finding.sentence = "the planned number of calls was not drawn";
  return true;
}

std::string margin_bound(const Context& context, const std::string& where) {
  return fmt::format(
      "the drop rate {} lies within {} of the overall rate; each such "
      "statement is wrong with probability at most {}",
      where, number_text(context.plan.margin),
      number_text(context.settings.alpha));
}

impl::Shape unit_grid(const Context& context) {
  return impl::unit_shape(context.law(), context.config(),
                          context.inputs.base.shape());
}

}  // namespace dropcheck::properties
