#pragma once

#include <string>

#include "dropcheck/properties/finding.hpp"

namespace dropcheck::reports {

/// The interval of a finding on a line with the expected value, as SVG that
/// stretches with its container; empty if there is nothing finite to draw.
std::string ruler_svg(const properties::Finding& finding);

/// The same without words, for a row of a table.
std::string small_ruler_svg(const properties::Finding& finding);

/// Rows of '1' (kept) and '0' (dropped) as squares; at most 96 by 96.
std::string mask_svg(const std::vector<std::string>& rows,
                     const std::string& title);

}  // namespace dropcheck::reports
