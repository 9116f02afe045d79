#include "own_draws.hpp"

namespace dropcheck::properties {

bool not_once(const PlannedConfiguration&, const Occasion& occasion) {
  return !occasion.once();
}

std::string_view one_decision_a_call(const impl::Law& law) {
  return law.unit == impl::Unit::kTensor ? "one decision a call" : "";
}

}  // namespace dropcheck::properties
