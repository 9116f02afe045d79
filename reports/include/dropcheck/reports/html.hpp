#pragma once

#include <string>

#include "dropcheck/properties/run_result.hpp"

namespace dropcheck::reports {

/// The result as one self-contained page: no script, no request, no font.
///
/// Everything that comes from a subject is escaped; a link is made only of a
/// URL that starts with http:// or https://. The page is well-formed XML.
std::string html_report(const properties::RunResult& result);

}  // namespace dropcheck::reports
