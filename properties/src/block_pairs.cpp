#include "block_pairs.hpp"

#include <fmt/format.h>

#include "dropcheck/stats/correlation.hpp"
#include "network_claims.hpp"
#include "structure_evidence.hpp"

namespace dropcheck::properties {
namespace {

bool drops(const NetworkEvidence& evidence, std::size_t tap) {
  const double rate = evidence.plan.rates[tap];
  return rate > 0 && rate < 1;
}

double log_pair_e_value(const PairCounts& pairs, double rate) {
  const stats::CorrelationTest test(
      {.p0 = rate, .planned_n = static_cast<double>(pairs.pairs)});
  return test.log_e_value({pairs.after_keep(), pairs.after_drop()}, kAnyRate);
}

void add(Family& family, const NetworkEvidence& evidence, const TapPair& pair,
         const PairCounts& counts) {
  if (!drops(evidence, pair.earlier) || !drops(evidence, pair.later)) return;
  if (counts.pairs == 0) return;
  family.earlier_taps.push_back(pair.earlier);
  family.later_taps.push_back(pair.later);
  family.counts.push_back(counts);
  family.log_e.push_back(
      log_pair_e_value(counts, evidence.plan.rates[pair.later]));
}

const char* unit_word(const NetworkEvidence& evidence) {
  return evidence.plan.unit_size == 1 ? "elements" : "samples";
}

}  // namespace

const PairCounts& counts_of(const NetworkEvidence& evidence,
                            const TapPair& pair) {
  return evidence.tally
      .pairs[NetworkTally::pair_index(pair.earlier, pair.later)];
}

double Family::pooled() const { return pooled_log_e(log_e); }

Family lag_family(const NetworkEvidence& evidence, std::size_t lag) {
  Family family;
  if (lag >= evidence.plan.lags.size()) return family;
  family.what =
      fmt::format("{} {} apart", unit_word(evidence), evidence.plan.lags[lag]);
  for (std::size_t tap = 0; tap < evidence.taps(); ++tap) {
    add(family, evidence, {tap, tap}, evidence.tally.taps[tap].lags[lag]);
  }
  return family;
}

Family call_family(const NetworkEvidence& evidence, std::size_t lag) {
  Family family;
  const std::size_t calls = evidence.plan.call_lags[lag];
  family.what = fmt::format("the same {} {} call{} later", unit_word(evidence),
                            calls, calls == 1 ? "" : "s");
  for (std::size_t tap = 0; tap < evidence.taps(); ++tap) {
    add(family, evidence, {tap, tap}, evidence.tally.taps[tap].call_lags[lag]);
  }
  return family;
}

Family tap_family(const NetworkEvidence& evidence,
                  const std::vector<TapPair>& pairs) {
  Family family;
  for (const TapPair& pair : pairs) {
    add(family, evidence, pair, counts_of(evidence, pair));
  }
  return family;
}

std::string dependence_of(const PairCounts& pairs) {
  const double after_drop = rate_of(pairs.after_drop());
  const double after_keep = rate_of(pairs.after_keep());
  if (after_drop > 0.9999 && after_keep < 1e-4) return "always agree";
  return fmt::format(
      "depend on each other: the later one is dropped with probability {:.4g} "
      "after a drop and {:.4g} after a keep",
      after_drop, after_keep);
}

}  // namespace dropcheck::properties
