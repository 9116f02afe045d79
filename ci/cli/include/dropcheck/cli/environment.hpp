#pragma once

#include <map>
#include <string>

namespace dropcheck::cli {

/// What a report says of the machine and the build: os, kernel, cpu, cores,
/// compiler, boost, build type, simd.
std::map<std::string, std::string> environment();

/// Makes everything in this process do with an instruction set that is not the
/// machine's best: "AVX2", "SSSE3". Masks and findings stay the same. Throws
/// UsageError unless the machine and this build have it.
void limit_simd(const std::string& best);

}  // namespace dropcheck::cli
