#include "network_tally.hpp"

namespace dropcheck::properties {
namespace {

void add(std::vector<PairCounts>& to, const std::vector<PairCounts>& from) {
  to.resize(from.size());
  for (std::size_t i = 0; i < from.size(); ++i) to[i] += from[i];
}

std::uint64_t sum(const std::vector<TapCounts>& taps,
                  std::uint64_t TapCounts::*member) {
  std::uint64_t total = 0;
  for (const TapCounts& tap : taps) total += tap.*member;
  return total;
}

}  // namespace

void NetworkTally::merge(const NetworkTally& later) {
  blocks += later.blocks;
  calls += later.calls;
  taps.resize(later.taps.size());
  for (std::size_t i = 0; i < taps.size(); ++i) {
    taps[i].rate += later.taps[i].rate;
    taps[i].wrong += later.taps[i].wrong;
    taps[i].torn += later.taps[i].torn;
    taps[i].unread += later.taps[i].unread;
    add(taps[i].lags, later.taps[i].lags);
    add(taps[i].call_lags, later.taps[i].call_lags);
  }
  add(pairs, later.pairs);
  if (!wrong) wrong = later.wrong;
  moments.resize(later.moments.size());
  for (std::size_t i = 0; i < moments.size(); ++i) {
    moments[i].insert(moments[i].end(), later.moments[i].begin(),
                      later.moments[i].end());
  }
}

std::uint64_t NetworkTally::wrong_units() const {
  return sum(taps, &TapCounts::wrong);
}

std::uint64_t NetworkTally::torn_units() const {
  return sum(taps, &TapCounts::torn);
}

std::uint64_t NetworkTally::unread_units() const {
  return sum(taps, &TapCounts::unread);
}

}  // namespace dropcheck::properties
