#include "own_draws.hpp"

#include "context.hpp"

namespace dropcheck::properties {

std::string_view not_once(const PlannedConfiguration&,
                          const Occasion& occasion) {
  return occasion.once() ? "" : "one configuration of the subject is enough";
}

std::string_view not_first_probability(const PlannedConfiguration&,
                                       const Occasion& occasion) {
  return occasion.first_probability ? ""
                                    : "the first drop probability is enough";
}

bool leave_empty_bound_open(Finding& finding, const Context& context,
                            double most) {
  const PlannedCheck* planned = context.planned(finding.check);
  if (planned == nullptr || planned->detectable_effect < most) return false;
  leave_open(finding, "too few drops or keeps to see any dependence");
  return true;
}

std::string_view overlapping_blocks(const impl::Law& law) {
  if (law.factor != impl::Factor::kMask) return "noise instead of a mask";
  return law.unit == impl::Unit::kBlock ? "decisions overlap in blocks: no "
                                          "shape has independent units only"
                                        : "";
}

std::string_view one_decision_a_call(const impl::Law& law) {
  if (law.unit == impl::Unit::kTensor) return "one decision a call";
  return overlapping_blocks(law);
}

}  // namespace dropcheck::properties
