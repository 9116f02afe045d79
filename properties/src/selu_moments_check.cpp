// Whether mean 0 and variance 1 survive the depth of a SELU network.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "dropcheck/properties/number_text.hpp"
#include "dropcheck/stats/betting.hpp"
#include "network_claims.hpp"
#include "structure_evidence.hpp"

namespace dropcheck::properties {
namespace {

/// The band is declared: no exact law holds through depth at a finite width
/// (STATISTICS 2.f 12). It lies within the domain of theorem 1 of Klambauer et
/// al. 2017 (arXiv:1706.02515), mean in [-0.1, 0.1] and variance in [0.8, 1.5],
/// which the mapping of moments from layer to layer does not leave.
struct Band {
  double mean;
  double square;
};

Band band_of(Profile profile) {
  switch (profile) {
    case Profile::kSmoke:
      return {0.1, 0.15};
    case Profile::kPr:
      return {0.1, 0.1};
    default:
      return {0.05, 0.05};
  }
}

/// Observations are clipped here: bets need a bounded range, and the shorter
/// it is the sooner they decide.
double clip_of(double band) { return 3 * band; }

/// One bet on the mean of a quantity that is due to be at a centre.
class Bet {
 public:
  Bet(double centre, double band)
      : centre_(centre),
        band_(band),
        betting_({centre - clip_of(band), centre + clip_of(band)}) {}

  void add(double value) {
    // Values that are not finite count as the far end: never a pass.
    const double far = centre_ + clip_of(band_);
    const double clipped =
        std::isnan(value) ? far
                          : std::clamp(value, centre_ - clip_of(band_), far);
    betting_.add(clipped);
    sum_ += clipped;
    raw_ += value;
    squares_ += value * value;
  }

  double log_e() const {
    return betting_.log_e_value({centre_ - band_, centre_ + band_});
  }
  stats::Interval interval(double level) const {
    return betting_.confidence_sequence(level);
  }
  bool certified(double level) const {
    const stats::Interval seen = interval(level);
    return seen.lower >= centre_ - band_ && seen.upper <= centre_ + band_;
  }
  double n() const { return static_cast<double>(betting_.n()); }
  double clipped_mean() const { return sum_ / n(); }
  double mean() const { return raw_ / n(); }
  /// How many standard errors the mean is off the centre.
  double z() const {
    const double variance = squares_ / n() - mean() * mean();
    return variance > 0 ? (mean() - centre_) / std::sqrt(variance / n()) : 0;
  }

 private:
  double centre_;
  double band_;
  stats::BettingMean betting_;
  double sum_ = 0;
  double raw_ = 0;
  double squares_ = 0;
};

struct DepthBets {
  std::size_t layers;  ///< passed so far
  Bet mean;
  Bet square;
};

std::vector<DepthBets> bets(const NetworkEvidence& evidence, const Band& band) {
  std::vector<DepthBets> all;
  for (std::size_t i = 0; i < evidence.plan.depths.size(); ++i) {
    DepthBets depth{
        evidence.plan.depths[i] + 1, {0, band.mean}, {1, band.square}};
    for (const TapMoments& moments : evidence.tally.moments[i]) {
      depth.mean.add(moments.mean);
      depth.square.add(moments.mean_square);
    }
    all.push_back(std::move(depth));
  }
  return all;
}

DiagnosticRow row(const char* what, const DepthBets& depth, const Bet& bet) {
  DiagnosticRow result;
  result.name = fmt::format("{} after {} layer{}", what, depth.layers,
                            depth.layers == 1 ? "" : "s");
  result.statistic = std::isfinite(bet.z()) ? bet.z() : 0;
  // Beyond 37 standard errors the tail is no double any more.
  const double z = std::min(std::abs(result.statistic), 37.0);
  result.log10_p = std::log10(std::erfc(z / std::numbers::sqrt2));
  result.note = fmt::format(
      "{:.4f}; at a finite width it is near, not at, its limit", bet.mean());
  return result;
}

std::string sentence(const DepthBets& depth) {
  return fmt::format(
      "after {} SELU layer{} with fresh weights the mean is {:.3g} and the "
      "mean square {:.3g}, not 0 and 1",
      depth.layers, depth.layers == 1 ? "" : "s", depth.mean.mean(),
      depth.square.mean());
}

Finding check_selu_moments(const Context& context) {
  Finding finding = start_network_finding(context, "selu_moments");
  const NetworkEvidence& evidence = *context.network;
  if (!evidence.complete) {
    finding.verdict = Verdict::kNotRun;
    finding.sentence = "the planned number of networks was not drawn";
    return finding;
  }
  finding.n = evidence.tally.blocks;
  const Band band = band_of(context.settings.profile);
  const std::vector<DepthBets> all = bets(evidence, band);
  std::vector<double> logs;
  for (const DepthBets& depth : all) {
    logs.push_back(log_mean({depth.mean.log_e(), depth.square.log_e()}));
    finding.diagnostics.push_back(row("mean", depth, depth.mean));
    finding.diagnostics.push_back(row("mean square", depth, depth.square));
  }
  const DepthBets& worst = all[largest_index(logs)];
  const DepthBets& last = all.back();
  const double level = std::log(2.0 * static_cast<double>(all.size())) -
                       std::log(context.settings.alpha);
  finding.quantity = fmt::format("mean square after {} layers, clipped at {:g}",
                                 last.layers, 1 + clip_of(band.square));
  finding.expected = 1;
  finding.observed = last.square.clipped_mean();
  const stats::Interval interval = last.square.interval(level);
  finding.interval_lower = interval.lower;
  finding.interval_upper = interval.upper;
  if (refute_by_e_value(finding, context, log_mean(logs), sentence(worst))) {
    return finding;
  }
  const bool certified =
      std::all_of(all.begin(), all.end(), [&](const DepthBets& depth) {
        return depth.mean.certified(level) && depth.square.certified(level);
      });
  if (certified) {
    certify(
        finding,
        fmt::format("mean 0 and variance 1 survive {} SELU layers",
                    last.layers),
        fmt::format("over fresh weights, masks and normal inputs, the mean of "
                    "a call lies within {:g} of 0 and its mean square within "
                    "{:g} of 1, both clipped at three times that, after 1, 2, "
                    "4, ... {} layers; wrong with probability at most {}",
                    band.mean, band.square, last.layers,
                    number_text(context.settings.alpha)));
  } else {
    leave_open(finding,
               fmt::format("after {} networks the mean square behind {} layers "
                           "is known to lie in [{:.3f}, {:.3f}] only",
                           evidence.tally.blocks, last.layers, interval.lower,
                           interval.upper));
  }
  return finding;
}

std::string_view keeps_no_moments(const impl::Law& law) {
  if (law.network->keeps_moments) return {};
  return "the law does not keep SELU's mean and variance";
}

void plan_selu_moments(const PlannedConfiguration& planned, const Settings&,
                       double, PlannedCheck& check) {
  const NetworkPlan plan = make_network_plan(planned);
  check.expected_n = check.worst_n = static_cast<double>(plan.blocks);
  check.shares_masks = true;
  // Fresh weights and inputs cost about as much as two calls.
  check.elements = 2 * plan.tap_n() * static_cast<double>(plan.rates.size()) *
                   static_cast<double>(plan.unit_size);
  check.detectable = "a clipped mean or mean square outside the band";
}

}  // namespace

constinit const CheckDefinition selu_moments_check{
    .info = {"selu_moments", Evidence::kStatistical,
             "SELU mean 0 and variance 1 survive the depth of a network",
             "A freshly initialised network with normal inputs is one "
             "observation: mean and mean square of its activations after 1, 2, "
             "4, 8, 16 and 32 layers. Bets on each, clipped, against a "
             "declared band; no exact law holds through depth.",
             kByEValue, "faulty:selu_network_plain_dropout"},
    .from_calls = check_selu_moments,
    .reads_masks = false,
    .of_networks = true,
    .not_applicable = keeps_no_moments,
    .plan = plan_selu_moments};

}  // namespace dropcheck::properties
