#pragma once

#include <string_view>

#include "check_definition.hpp"

namespace dropcheck::properties {

/// What a check that draws its own masks needs besides them.

/// One number a profile; the exhaustive one asks for what nightly does.
template <class T>
T by_profile(Profile profile, T smoke, T pr, T nightly) {
  switch (profile) {
    case Profile::kSmoke:
      return smoke;
    case Profile::kPr:
      return pr;
    case Profile::kNightly:
    case Profile::kExhaustive:
      return nightly;
  }
  return smoke;
}

/// CheckDefinition::left_out: one configuration a subject is enough.
std::string_view not_once(const PlannedConfiguration& planned,
                          const Occasion& occasion);

/// CheckDefinition::left_out: the first drop probability of a run is enough,
/// and every one that was drawn.
std::string_view not_first_probability(const PlannedConfiguration& planned,
                                       const Occasion& occasion);

/// Leaves a finding open where the effect that its check was planned to find is
/// `most` or more, which none can be: at such a drop probability a certificate
/// would say nothing.
bool leave_empty_bound_open(Finding& finding, const Context& context,
                            double most);

/// CheckDefinition::not_applicable: laws without a mask, or without
/// a shape of one element a unit.
std::string_view overlapping_blocks(const impl::Law& law);

/// CheckDefinition::not_applicable: those, and laws whose calls decide once.
std::string_view one_decision_a_call(const impl::Law& law);

}  // namespace dropcheck::properties
