#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "check_definition.hpp"
#include "context.hpp"
#include "network_evidence.hpp"

namespace dropcheck::properties {

/// A finding of a network with what was drawn for it.
Finding start_network_finding(const Context& context, std::string_view check);

/// Marks the finding not-run where the planned calls were not drawn, open
/// where decisions could not be read. Claims about decisions stop there.
bool undecidable(Finding& finding, const NetworkEvidence& evidence);

/// ln of the mean of two e-values: the product over parts, strong where all of
/// them deviate a little, and the mean over parts, strong where one does.
/// The parts are e-processes of one filtration: their product is one too.
double pooled_log_e(const std::vector<double>& parts);

/// ln of the e-value against "the drop rate lies in one of the intervals",
/// with the prior of the promised rate. Infinite where there is none.
double log_e_outside(const stats::Counts& counts, double promised,
                     const std::vector<stats::Interval>& rates);

/// Rates and moments of a network rest on independent decisions. Where these
/// are refuted, nothing is said about the others; where they are open, nothing
/// is certified.
void apply_network_doubt(std::vector<Finding>& findings);

}  // namespace dropcheck::properties
