#pragma once

#include <string_view>

namespace dropcheck::properties {

/// Version of dropcheck, as in CMakeLists.txt.
extern const std::string_view kVersion;

}  // namespace dropcheck::properties
