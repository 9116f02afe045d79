#pragma once

#include <string>

#include "dropcheck/properties/run_result.hpp"

namespace dropcheck::reports {

/// An SVG badge, "dropout | certified", for a README.
std::string badge_svg(const properties::RunResult& result);

}  // namespace dropcheck::reports
