#pragma once

#include <string>

#include "dropcheck/properties/run_result.hpp"

namespace dropcheck::reports {

/// The result as GitHub Markdown for a job summary: a table of checks, then
/// what is not a pass. Text of a subject cannot break out of its cell.
///
/// At most 50 findings are told in full, as a job summary holds 1 MiB.
std::string markdown_summary(const properties::RunResult& result);

}  // namespace dropcheck::reports
