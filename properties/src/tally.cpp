#include "tally.hpp"

#include <algorithm>

namespace dropcheck::properties {
namespace {

template <class T>
void add_all(std::vector<T>& to, const std::vector<T>& from) {
  if (to.size() < from.size()) to.resize(from.size());
  for (std::size_t i = 0; i < from.size(); ++i) to[i] += from[i];
}

}  // namespace

PairCounts& PairCounts::operator+=(const PairCounts& other) {
  pairs += other.pairs;
  earlier += other.earlier;
  later += other.later;
  both += other.both;
  return *this;
}

void Tally::merge(const Tally& later) {
  rate += later.rate;
  calls += later.calls;
  wrong_calls += later.wrong_calls;
  if (!wrong) wrong = later.wrong;
  torn_units += later.torn_units;
  if (!torn) torn = later.torn;
  structure_rows += later.structure_rows;
  structure_rate += later.structure_rate;
  add_all(lags, later.lags);
  add_all(call_lags, later.call_lags);
  add_all(positions, later.positions);
  for (std::size_t j = 0; j < groups.size(); ++j) groups[j] += later.groups[j];
  drops_per_row.insert(drops_per_row.end(), later.drops_per_row.begin(),
                       later.drops_per_row.end());
}

Tally Tally::without_structure() const {
  Tally rest;
  rest.rate = rate;
  rest.calls = calls;
  rest.wrong_calls = wrong_calls;
  rest.wrong = wrong;
  rest.torn_units = torn_units;
  rest.torn = torn;
  return rest;
}

}  // namespace dropcheck::properties
