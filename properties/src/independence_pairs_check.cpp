// independence_pairs: every pair of up to 512 units of a call, however far
// apart (STATISTICS 2.f, "one correlated pair of distant channels").
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "bit_matrix.hpp"
#include "check_definition.hpp"
#include "context.hpp"
#include "detection.hpp"
#include "dropcheck/stats/correlation.hpp"
#include "mask_stream.hpp"
#include "own_draws.hpp"
#include "shapes.hpp"
#include "structure_evidence.hpp"
#include "tally.hpp"

namespace dropcheck::properties {
namespace {

constexpr std::int64_t kUnits = 512;
constexpr double kPairs = kUnits * (kUnits - 1) / 2.0;
/// Pairs below this many standard deviations count as e-value 0, which only
/// makes the mean smaller.
constexpr double kTellingZ = 4;

std::int64_t calls_of(Profile profile) {
  return by_profile<std::int64_t>(profile, 1024, 16384, 1 << 20);
}

struct PairEvidence {
  double log_e = -1e9;  ///< of the mean over all pairs
  std::size_t a = 0;
  std::size_t b = 0;
  PairCounts pairs;  ///< of the strongest one
};

double z_of(const PairCounts& pairs) {
  const auto n = static_cast<double>(pairs.pairs);
  const double a = static_cast<double>(pairs.earlier) / n;
  const double b = static_cast<double>(pairs.later) / n;
  const double spread = std::sqrt(n * a * (1 - a) * b * (1 - b));
  if (spread <= 0) return 0;
  return (static_cast<double>(pairs.both) - n * a * b) / spread;
}

/// The mean of the e-values of all pairs; the unit that comes first in a call
/// is the context of the other.
PairEvidence evidence_of(const BitMatrix& matrix,
                         const stats::CorrelationTest& test) {
  PairEvidence found;
  std::vector<double> logs;
  double strongest = -1e300;
  std::vector<std::uint64_t> drops(matrix.units());
  for (std::size_t i = 0; i < drops.size(); ++i) drops[i] = matrix.drops(i);
  for (std::size_t a = 0; a < matrix.units(); ++a) {
    for (std::size_t b = a + 1; b < matrix.units(); ++b) {
      const PairCounts pairs{matrix.calls(), drops[a], drops[b],
                             matrix.joint(a, b)};
      if (std::abs(z_of(pairs)) < kTellingZ) continue;
      logs.push_back(
          test.log_e_value({pairs.after_keep(), pairs.after_drop()}, kAnyRate));
      if (logs.back() <= strongest) continue;
      strongest = logs.back();
      found.a = a;
      found.b = b;
      found.pairs = pairs;
    }
  }
  const double units = static_cast<double>(matrix.units());
  if (!logs.empty()) {
    found.log_e =
        log_mean(logs) + std::log(static_cast<double>(logs.size()) /
                                  std::max(1.0, units * (units - 1) / 2));
  }
  return found;
}

/// How often one would have to repeat the other.
std::string tie_words(const PairEvidence& evidence) {
  const PairCounts& pairs = evidence.pairs;
  const double p = rate_of({pairs.later, pairs.pairs});
  const double share = (rate_of(pairs.after_drop()) - p) / (1 - p);
  if (rate_of(pairs.after_drop()) == 1 && rate_of(pairs.after_keep()) == 0) {
    return "they share one decision";
  }
  if (share < 0) return "they seem to use u and 1 - u, or to avoid each other";
  return fmt::format(
      "as if one repeated the other's decision with probability {:.2g}", share);
}

}  // namespace

static Finding check_independence_pairs(const Context& context) {
  Finding finding = start_finding(context, "independence_pairs");
  const StreamSource source(
      context, shape_of_units(context.law(), context.config(), kUnits));
  MaskStream stream(source);
  stream.reseed(stream_seed(context.experiment, Stream::kPairs));
  BitMatrix matrix(static_cast<std::size_t>(source.units()));
  const std::int64_t calls = calls_of(context.settings.profile);
  stream.draw(calls, [&](const std::uint64_t* mask) { matrix.add_call(mask); });
  matrix.finish();
  const double threshold =
      context.log_threshold("independence_pairs") + std::log(kPairs);
  const stats::CorrelationTest test(
      {context.p0(), static_cast<double>(calls), threshold});
  const PairEvidence evidence = evidence_of(matrix, test);
  finding.calls = static_cast<std::uint64_t>(calls);
  finding.n = finding.calls * static_cast<std::uint64_t>(source.units());
  finding.quantity = "drop rate after a drop of the other unit";
  if (refute_by_e_value(
          finding, context, evidence.log_e,
          fmt::format(
              "units {} and {} of a call depend on each other: {} "
              "drops at {:.5g} where {} dropped, at {:.5g} where not: {}",
              evidence.a, evidence.b, evidence.b,
              rate_of(evidence.pairs.after_drop()), evidence.a,
              rate_of(evidence.pairs.after_keep()), tie_words(evidence)))) {
    finding.expected = rate_of(evidence.pairs.after_keep());
    finding.observed = rate_of(evidence.pairs.after_drop());
    return finding;
  }
  if (leave_empty_bound_open(finding, context, 1)) return finding;
  certify(finding, "no two units of a call depend on each other",
          fmt::format("among all pairs of {} units in {} calls: {}",
                      source.units(), calls, finding.detectable));
  return finding;
}

namespace {

void plan_pairs(const PlannedConfiguration& planned, const Settings& settings,
                double threshold, PlannedCheck& check) {
  const auto calls = static_cast<double>(calls_of(settings.profile));
  check.detectable_effect = two_digits(detectable_correlation(
      planned.config.drop_probability, calls,
      threshold + std::log(kPairs) + mixture_overhead(calls)));
  check.detectable =
      fmt::format("a correlation of {:.2g} of any two of {} units of a call",
                  check.detectable_effect, kUnits);
  check.expected_n = check.worst_n = calls * kUnits;
  check.elements = check.worst_n;
}

}  // namespace

constinit const CheckDefinition independence_pairs_check{
    .info = {"independence_pairs", Evidence::kStatistical,
             "no two units of a call depend on each other, however far apart",
             "All pairs of 512 units over many calls: the drops of one where "
             "the other, which comes first, dropped and where it did not. One "
             "e-value a pair, each with the same share; the rate may be any. "
             "In one configuration a subject.",
             kByEValue, "faulty:distant_twins"},
    .from_calls = check_independence_pairs,
    .own_shapes = true,
    .not_applicable = one_decision_a_call,
    .left_out = not_once,
    .plan = plan_pairs};

}  // namespace dropcheck::properties
