#pragma once

#include <string>
#include <vector>

#include "dropcheck/properties/plan.hpp"

namespace dropcheck::cli {

/// Refuses a plain word of --only that is no check: before anything is opened.
void refuse_unknown_check(const std::string& pattern);

/// Refuses patterns of --only that leave nothing, and says why.
void refuse_idle_pattern(const properties::Plan& plan,
                         const std::vector<std::string>& only);

}  // namespace dropcheck::cli
