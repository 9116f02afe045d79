#include <fmt/format.h>

#include "check_definition.hpp"
#include "detection.hpp"
#include "dropcheck/stats/dirichlet_multinomial.hpp"
#include "dropcheck/stats/dispersion.hpp"
#include "mask_picture.hpp"
#include "mask_sample.hpp"
#include "pattern_causes.hpp"
#include "structure_evidence.hpp"

namespace dropcheck::properties {
namespace {

/// Drops per call (or per block, where calls are laid end to end).
stats::Dispersion row_evidence(const Tally& tally, double p0) {
  stats::Dispersion rows(tally.structure_rate.n / tally.structure_rows, p0);
  for (const std::uint32_t drops : tally.drops_per_row) rows.add(drops);
  return rows;
}

}  // namespace

static Finding check_unit_counts(const StatisticalInput& input) {
  const Context& context = input.context;
  Finding finding = start_finding(context, "unit_counts");
  if (incomplete(finding, input)) return finding;
  note_structure(finding, input);
  const Tally& tally = input.battery.structure;
  const double p0 = context.p0();
  const std::vector<double> logs{
      stats::log_group_count_e_value(tally.groups, p0, 64, kAnyRate),
      row_evidence(tally, p0).log_e_value(kAnyRate)};
  finding.diagnostics.push_back(row_of(
      stats::binomial_group_fit(tally.groups, p0, context.settings.alpha)));
  double mean = 0;
  double square = 0;
  double groups = 0;
  for (std::size_t j = 0; j < tally.groups.size(); ++j) {
    const auto count = static_cast<double>(tally.groups[j]);
    const auto drops = static_cast<double>(j);
    groups += count;
    mean += count * drops;
    square += count * drops * drops;
  }
  mean /= groups;
  const double rate = mean / Tally::kGroup;
  const double due = Tally::kGroup * rate * (1 - rate);
  const double seen = square / groups - mean * mean;
  finding.quantity = "variance of drops per 64 units / binomial";
  finding.expected = 1;
  finding.observed = due > 0 ? seen / due : 1;
  const bool rows = logs[1] > logs[0];
  const std::string sentence =
      rows ? "the number of drops per call does not follow the binomial law"
           : fmt::format(
                 "the number of drops per 64 units has {:.4g} times the "
                 "variance of the binomial law: units are {}",
                 *finding.observed,
                 *finding.observed < 1 ? "dropped to a quota"
                                       : "dropped in company");
  if (refute_by_e_value(finding, context, log_mean(logs), sentence)) {
    add_cause(finding, [&] { return cause_of_counts(sample_masks(context)); });
    finding.picture = structure_picture(input, rows);
    return finding;
  }
  certify(finding, "drops per group follow the binomial law",
          "no over- or underdispersion of the stated size");
  return finding;
}

namespace {

void plan_unit_counts(const PlannedConfiguration& planned, const Settings&,
                      double threshold, PlannedCheck& check) {
  constexpr double kMixture = 32;  // nats that the mixture over cells costs
  const double groups =
      static_cast<double>(planned.structure_n) / Tally::kGroup;
  check.detectable_effect =
      two_digits(detectable_variance(groups, threshold + 1 + kMixture));
  check.detectable =
      fmt::format("a variance {:.2g} of the binomial one above or below it",
                  check.detectable_effect);
}

}  // namespace

constinit const CheckDefinition unit_counts_check{
    .info = {"unit_counts", Evidence::kStatistical,
             "drops per group follow the binomial law",
             "Counts of drops in groups of 64 units and per call. "
             "Dirichlet-multinomial e-value against binomial cells of any "
             "rate; Boost.Math's chi-square with its degrees of freedom and "
             "log10 p is shown beside it.",
             kByEValue, "faulty:exact_count"},
    .from_battery = check_unit_counts,
    .structural = true,
    .plan = plan_unit_counts};

}  // namespace dropcheck::properties
