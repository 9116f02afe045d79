#pragma once

#include <string>

#include "dropcheck/properties/run_result.hpp"

namespace dropcheck::reports {

/// The result as JUnit XML, for the test tab of a CI service.
///
/// One suite per subject and layer, one case per finding. Refuted,
/// inconclusive, not-run and unexpected-pass are failures; crash, timeout and
/// error are errors; not-supported and declared deviations are skipped. What
/// concerns the run as a whole (its alarm, stale deviations, an interruption,
/// no finding at all) is a failure of a suite "dropcheck.run", which is
/// absent otherwise. Characters that XML 1.0 forbids are left out.
std::string junit_xml(const properties::RunResult& result);

}  // namespace dropcheck::reports
