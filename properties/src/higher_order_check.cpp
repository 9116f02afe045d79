// higher_order: what pairs of decisions do not show (STATISTICS 2.f, "higher
// order"): the previous eight decisions, and triples.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <string>
#include <vector>

#include "bit_sequence.hpp"
#include "check_definition.hpp"
#include "context.hpp"
#include "detection.hpp"
#include "dropcheck/stats/context.hpp"
#include "mask_stream.hpp"
#include "own_draws.hpp"
#include "shapes.hpp"
#include "structure_evidence.hpp"
#include "triple_counts.hpp"

namespace dropcheck::properties {
namespace {

constexpr std::int64_t kUnits = 1 << 14;  ///< a call
constexpr unsigned kMemory = 8;
constexpr double kKinds = 3;  ///< the byte before, its parity, triples

std::int64_t decisions_of(Profile profile) {
  return by_profile<std::int64_t>(profile, 1 << 18, 1 << 22, 1 << 27);
}

std::vector<stats::BetaPrior> priors_of(double p0,
                                        const std::vector<double>& expected) {
  std::vector<stats::BetaPrior> priors;
  priors.reserve(expected.size());
  for (const double n : expected) {
    priors.push_back(
        stats::prior_around(p0, stats::context_kappa(std::max(1.0, n))));
  }
  return priors;
}

/// The share of decisions that follow `drops` drops among `length`.
double share_of(double p0, int drops, int length) {
  return std::pow(p0, drops) * std::pow(1 - p0, length - drops);
}

struct OrderEvidence {
  double log_e = 0;
  std::string sentence;
};

/// Drops by the eight decisions before, the latest in the lowest bit.
using ByteCounts = std::array<stats::Counts, 256>;

ByteCounts after_bytes(const BitSequence& bits) {
  ByteCounts counts{};
  unsigned before = 0;
  const auto words = bits.words();
  for (std::int64_t i = 0; i < bits.bits(); ++i) {
    const auto bit = static_cast<unsigned>(
        words[static_cast<std::size_t>(i / 64)] >> (i % 64) & 1U);
    if (i >= static_cast<std::int64_t>(kMemory)) {
      counts[before] += {bit, 1};
    }
    before = (before << 1U | bit) & 0xFFU;
  }
  return counts;
}

OrderEvidence byte_evidence(const ByteCounts& counts, double p0, double n) {
  std::vector<double> expected;
  for (unsigned byte = 0; byte < counts.size(); ++byte) {
    expected.push_back(n * share_of(p0, std::popcount(byte), kMemory));
  }
  const auto odd =
      std::max_element(counts.begin(), counts.end(),
                       [&](const stats::Counts& a, const stats::Counts& b) {
                         const auto distance = [&](const stats::Counts& c) {
                           return std::abs(static_cast<double>(c.drops) -
                                           p0 * static_cast<double>(c.n)) /
                                  std::sqrt(1.0 + static_cast<double>(c.n));
                         };
                         return distance(a) < distance(b);
                       });
  return {stats::log_context_e_value(counts, priors_of(p0, expected), kAnyRate),
          fmt::format("decisions depend on the eight before: after {:08b} (1 "
                      "dropped, the latest last) they drop at {:.5g}",
                      odd - counts.begin(), rate_of(*odd))};
}

OrderEvidence parity_evidence(const ByteCounts& counts, double p0, double n) {
  std::array<stats::Counts, 2> parity{};
  for (unsigned byte = 0; byte < counts.size(); ++byte) {
    parity[static_cast<unsigned>(std::popcount(byte)) % 2] += counts[byte];
  }
  const double odd = (1 - std::pow(1 - 2 * p0, kMemory)) / 2;
  return {
      stats::log_context_e_value(
          parity, priors_of(p0, {n * (1 - odd), n * odd}), kAnyRate),
      fmt::format("decisions depend on how many of the eight before were "
                  "drops: {:.5g} after an odd number, {:.5g} after an even one",
                  rate_of(parity[1]), rate_of(parity[0]))};
}

OrderEvidence triple_evidence(const std::vector<TripleCounts>& triples,
                              double p0) {
  std::vector<double> logs;
  logs.reserve(triples.size());
  for (const TripleCounts& triple : triples) {
    const auto n = static_cast<double>(triple.decisions());
    logs.push_back(stats::log_context_e_value(
        triple.contexts,
        priors_of(p0, {n * share_of(p0, 0, 2), n * share_of(p0, 1, 2),
                       n * share_of(p0, 1, 2), n * share_of(p0, 2, 2)}),
        kAnyRate));
  }
  const TripleCounts& worst = triples[largest_index(logs)];
  return {
      log_mean(logs),
      fmt::format(
          "decisions depend on the pair {} and {} before: they drop at {:.5g} "
          "where both were kept, {:.5g} where the nearer alone was dropped, "
          "{:.5g} where the farther alone was, {:.5g} where both were",
          worst.near, worst.far, rate_of(worst.contexts[0]),
          rate_of(worst.contexts[1]), rate_of(worst.contexts[2]),
          rate_of(worst.contexts[3]))};
}

}  // namespace

static Finding check_higher_order(const Context& context) {
  Finding finding = start_finding(context, "higher_order");
  const StreamSource source(
      context, shape_of_units(context.law(), context.config(), kUnits));
  MaskStream stream(source);
  stream.reseed(stream_seed(context.experiment, Stream::kHigherOrder));
  const std::int64_t decisions = decisions_of(context.settings.profile);
  const std::int64_t calls = (decisions + source.units() - 1) / source.units();
  ByteCounts bytes{};
  TripleCounter triples;
  // Some calls at a time; contexts never reach across.
  const std::int64_t step =
      std::max<std::int64_t>(1, (std::int64_t{1} << 20) / source.units());
  for (std::int64_t done = 0; done < calls; done += step) {
    const BitSequence bits = stream.next(std::min(step, calls - done));
    const ByteCounts more = after_bytes(bits);
    for (std::size_t i = 0; i < more.size(); ++i) bytes[i] += more[i];
    triples.add(bits);
  }
  finding.calls = static_cast<std::uint64_t>(calls);
  finding.n = finding.calls * static_cast<std::uint64_t>(source.units());
  const auto n = static_cast<double>(finding.n);
  const std::vector<OrderEvidence> kinds{
      byte_evidence(bytes, context.p0(), n),
      parity_evidence(bytes, context.p0(), n),
      triple_evidence(triples.counts(), context.p0())};
  std::vector<double> logs;
  for (const OrderEvidence& kind : kinds) logs.push_back(kind.log_e);
  if (refute_by_e_value(finding, context, log_mean(logs),
                        kinds[largest_index(logs)].sentence)) {
    return finding;
  }
  const double p = context.p0();
  if (leave_empty_bound_open(finding, context, std::max(p, 1 - p)))
    return finding;
  certify(finding, "no dependence on several earlier decisions together",
          fmt::format("in {} decisions: {}", finding.n, finding.detectable));
  return finding;
}

namespace {

void plan_higher_order(const PlannedConfiguration& planned,
                       const Settings& settings, double threshold,
                       PlannedCheck& check) {
  const double p = planned.config.drop_probability;
  const auto n = static_cast<double>(decisions_of(settings.profile));
  // The rate where both of a pair were dropped, the rarest context but one.
  const double rare = std::min({p * p, p * (1 - p), (1 - p) * (1 - p)});
  check.detectable_effect =
      two_digits(detectable_z(threshold + std::log(kKinds * kTriples),
                              4 * mixture_overhead(n)) *
                 std::sqrt(p * (1 - p) / (n * rare)));
  check.detectable = fmt::format(
      "a drop rate that is {:.2g} off after any outcome of any two of the 64 "
      "decisions before",
      check.detectable_effect);
  check.expected_n = check.worst_n = n;
  check.elements = n;
}

}  // namespace

constinit const CheckDefinition higher_order_check{
    .info = {"higher_order", Evidence::kStatistical,
             "decisions do not depend on several earlier ones together",
             "The drop rate after each of the 256 outcomes of the eight "
             "decisions before, after an even and an odd number of drops among "
             "them, and after each outcome of any two of the 64 before: what "
             "no pair of decisions shows. Linear structure over GF(2), as in "
             "MT19937, is not looked for. In one configuration a subject.",
             kByEValue, "faulty:product_of_two"},
    .from_calls = check_higher_order,
    .own_shapes = true,
    .not_applicable = one_decision_a_call,
    .left_out = not_once,
    .plan = plan_higher_order};

}  // namespace dropcheck::properties
