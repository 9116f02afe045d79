#include "network_claims.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "dropcheck/stats/beta_binomial.hpp"
#include "structure_evidence.hpp"

namespace dropcheck::properties {

Finding start_network_finding(const Context& context, std::string_view check) {
  Finding finding = start_finding(context, check);
  const NetworkTally& tally = context.network->tally;
  finding.calls = tally.calls;
  for (const TapCounts& tap : tally.taps) finding.n += tap.rate.n;
  return finding;
}

bool undecidable(Finding& finding, const NetworkEvidence& evidence) {
  if (!evidence.complete) {
    finding.verdict = Verdict::kNotRun;
    finding.sentence = "the planned number of calls was not drawn";
    return true;
  }
  const std::uint64_t unread = evidence.tally.unread_units();
  if (unread == 0) return false;
  leave_open(finding,
             fmt::format("{} of {} decisions cannot be read from the taps",
                         unread, unread + finding.n));
  return true;
}

double pooled_log_e(const std::vector<double>& parts) {
  if (parts.empty()) return 0;
  return log_mean(
      {std::accumulate(parts.begin(), parts.end(), 0.0), log_mean(parts)});
}

double log_e_outside(const stats::Counts& counts, double promised,
                     const std::vector<stats::Interval>& rates) {
  if (counts.n == 0) return 0;
  const auto n = static_cast<double>(counts.n);
  const stats::BetaPrior prior = promised_prior(promised, n);
  double log_e = std::numeric_limits<double>::infinity();
  for (const stats::Interval& set : rates) {
    // ln M is convex in the rate: its least value is at the nearest point.
    log_e = std::min(
        log_e,
        stats::log_martingale(
            counts, prior, std::clamp(rate_of(counts), set.lower, set.upper)));
  }
  return log_e;
}

namespace {

/// The structure check that is furthest from certified, if any is.
const Finding* structural_doubt(const std::vector<Finding>& findings) {
  const Finding* worst = nullptr;
  for (const Finding& finding : findings) {
    if (!definition_of(finding.check).structural) continue;
    const bool fine = finding.verdict == Verdict::kCertified ||
                      finding.verdict == Verdict::kNotSupported;
    if (fine) continue;
    if (worst == nullptr || finding.verdict < worst->verdict) worst = &finding;
  }
  return worst;
}

}  // namespace

void apply_network_doubt(std::vector<Finding>& findings) {
  const Finding* const doubt = structural_doubt(findings);
  if (doubt == nullptr) return;
  const bool proved = doubt->verdict == Verdict::kRefuted;
  const std::string why =
      fmt::format("{} is {}", doubt->check, name_of(doubt->verdict));
  for (Finding& finding : findings) {
    const CheckDefinition& definition = definition_of(finding.check);
    const bool rests = definition.takes_chance && !definition.structural &&
                       finding.check != "selu_moments";
    if (!rests) continue;
    if (finding.verdict == Verdict::kCertified) {
      leave_open(finding, fmt::format("{}, but no certificate without "
                                      "independent decisions: {}",
                                      finding.sentence, why));
      finding.bound.clear();
    } else if (proved && finding.verdict == Verdict::kRefuted &&
               finding.log10_e) {
      // Dependent decisions alone can make this e-value large. Choosing by what
      // the data showed must not make it larger.
      finding.log10_e = std::min(0.0, *finding.log10_e);
      leave_open(finding, fmt::format("cannot be told while decisions depend "
                                      "on each other: {}",
                                      why));
    }
  }
}

}  // namespace dropcheck::properties
