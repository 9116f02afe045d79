#pragma once

#include <string>
#include <vector>

#include "network_evidence.hpp"

namespace dropcheck::properties {

/// Two taps of which the later one is looked at after the earlier one.
struct TapPair {
  std::size_t earlier;
  std::size_t later;
};

const PairCounts& counts_of(const NetworkEvidence& evidence,
                            const TapPair& pair);

/// Pairs of decisions that depend on each other in the same way if they do:
/// one part for each tap (or pair of taps) at which something can be seen.
struct Family {
  std::string what;  ///< "samples 2 apart"
  std::vector<std::size_t> earlier_taps;
  std::vector<std::size_t> later_taps;
  std::vector<PairCounts> counts;
  std::vector<double> log_e;  ///< against independence, any one rate

  double pooled() const;
};

/// Units of one call at one lag of the plan, at every tap that drops.
Family lag_family(const NetworkEvidence& evidence, std::size_t lag);
/// The same unit in later calls.
Family call_family(const NetworkEvidence& evidence, std::size_t lag);
/// The same unit at pairs of taps, both of which drop.
Family tap_family(const NetworkEvidence& evidence,
                  const std::vector<TapPair>& pairs);

/// "always agree" or "depend on each other: dropped with probability ...".
std::string dependence_of(const PairCounts& pairs);

}  // namespace dropcheck::properties
