#pragma once

#include <map>
#include <string>

namespace dropcheck::cli {

/// What a report says of the machine and the build: os, kernel, cpu, cores,
/// compiler, boost, build type, simd.
std::map<std::string, std::string> environment();

}  // namespace dropcheck::cli
