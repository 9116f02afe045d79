// What a doubt about the structure does to the checks that rest on it
// (STATISTICS 2.0: structure first, then rate).
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numbers>

#include "dropcheck/stats/betting.hpp"
#include "rate_sets.hpp"
#include "statistical_checks.hpp"

namespace dropcheck::properties {

void note_torn_units(std::vector<Finding>& findings, const Context& context,
                     const Tally& tally) {
  if (!tally.torn) return;
  for (Finding& finding : findings) {
    if (finding.check != "granularity" && finding.check != "blocks") continue;
    if (finding.verdict == Verdict::kRefuted) return;
    const Witness& witness = *tally.torn;
    refute(finding,
           fmt::format("units of shape {} are torn: element {} was decided "
                       "differently from the first of its unit (call {} of "
                       "block {}; {} such units in {} calls)",
                       impl::to_string(context.inputs.base.shape()),
                       place_of(witness.element, context.inputs.base.shape()),
                       witness.call, witness.block, tally.torn_units,
                       tally.calls));
    finding.bound.clear();
  }
}

namespace {

/// Why units may not be called independent. An open structure check forbids a
/// certificate; only a refuted one explains a wrong rate (STATISTICS 2.0: the
/// null of a refutation is the full specification).
struct Doubt {
  std::string words;  ///< empty if there is none
  bool proved = false;
};

Doubt structural_doubt(const std::vector<Finding>& findings, bool torn) {
  if (torn) return {"units are torn", true};
  Doubt doubt;
  for (const Finding& finding : findings) {
    const bool structural = finding.check == "unit_counts" ||
                            finding.check == "homogeneity" ||
                            finding.check == "independence_within" ||
                            finding.check == "independence_calls";
    if (!structural || finding.verdict == Verdict::kCertified ||
        finding.verdict == Verdict::kNotSupported) {
      continue;
    }
    const bool proved = finding.verdict == Verdict::kRefuted;
    if (!doubt.words.empty() && !(proved && !doubt.proved)) continue;
    doubt = {fmt::format("{} is {}", finding.check, name_of(finding.verdict)),
             proved};
  }
  return doubt;
}

bool rests_on_units(const Finding& finding) {
  return finding.check == "drop_rate" || finding.check == "expectation" ||
         finding.check == "moments";
}

RateClaimSets sets_of(const Finding& finding, const Context& context) {
  if (finding.check == "drop_rate") return rate_sets(context);
  return finding.check == "expectation" ? mean_sets(context)
                                        : variance_sets(context);
}

/// ln of an e-value that assumes nothing of the units of a row: a bet on the
/// dropped fraction of each row (STATISTICS 2.c F5).
double robust_log_e(const RateClaimSets& sets, const Tally& tally) {
  if (tally.structure_rows == 0) return 0;
  const double bits = static_cast<double>(tally.structure_rate.n) /
                      static_cast<double>(tally.structure_rows);
  stats::BettingMean fraction;
  for (const std::uint32_t drops : tally.drops_per_row) {
    fraction.add(static_cast<double>(drops) / bits);
  }
  double log_e = std::numeric_limits<double>::infinity();
  for (const stats::Interval& set : sets.refuted_outside) {
    log_e = std::min(log_e, fraction.log_e_value({std::max(set.lower, 0.0),
                                                  std::min(set.upper, 1.0)}));
  }
  return log_e;
}

}  // namespace

void apply_structural_doubt(std::vector<Finding>& findings,
                            const StatisticalInput& input) {
  const Doubt doubt =
      structural_doubt(findings, input.battery.total.torn.has_value());
  if (doubt.words.empty()) return;
  for (Finding& finding : findings) {
    if (!rests_on_units(finding)) continue;
    const std::string sentence = finding.sentence;
    if (finding.verdict == Verdict::kCertified) {
      leave_open(finding, fmt::format("{}, but no certificate without "
                                      "independent units: {}",
                                      sentence, doubt.words));
      finding.bound.clear();
    } else if (doubt.proved && finding.verdict == Verdict::kRefuted &&
               finding.log10_e) {
      // The smaller of the two: choosing by what the data showed must not
      // make an e-value larger.
      const double log_e =
          std::min(*finding.log10_e / std::numbers::log10e,
                   robust_log_e(sets_of(finding, input.context),
                                input.battery.structure));
      if (refute_by_e_value(finding, input.context, log_e, sentence)) continue;
      leave_open(finding, fmt::format("cannot be told while units do not "
                                      "follow one law: {}",
                                      doubt.words));
    }
  }
}

}  // namespace dropcheck::properties
