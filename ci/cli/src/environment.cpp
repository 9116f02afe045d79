#include "dropcheck/cli/environment.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <hwy/targets.h>
#include <sys/utsname.h>

#include <boost/version.hpp>
#include <cstdint>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "dropcheck/cli/usage_error.hpp"

namespace dropcheck::cli {
namespace {

// The value of "key SEPARATOR value" in a file of such lines.
std::string look_up(const char* path, const std::string& key, char separator) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(key)) continue;
    const std::size_t at = line.find(separator);
    if (at == std::string::npos) continue;
    const std::size_t begin = line.find_first_not_of(" \t\"", at + 1);
    const std::size_t end = line.find_last_not_of(" \t\"");
    return begin == std::string::npos ? ""
                                      : line.substr(begin, end - begin + 1);
  }
  return "unknown";
}

std::string kernel() {
  utsname name{};
  if (uname(&name) != 0) return "unknown";
  return std::string(name.sysname) + ' ' + name.release + ' ' + name.machine;
}

std::string boost_version() {
  return std::to_string(BOOST_VERSION / 100000) + '.' +
         std::to_string(BOOST_VERSION / 100 % 1000) + '.' +
         std::to_string(BOOST_VERSION % 100);
}

// The best one comes first.
std::string best_simd() {
  return hwy::TargetName(hwy::SupportedAndGeneratedTargets().front());
}

std::string compiler() {
#if defined(__clang__)
  return "clang " __clang_version__;
#else
  return "g++ " __VERSION__;
#endif
}

}  // namespace

// Highway numbers its targets so that better ones have lower bits.
void limit_simd(const std::string& best) {
  std::vector<std::string> names;
  std::int64_t better = 0;
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    if (best == hwy::TargetName(target)) return hwy::DisableTargets(better);
    better |= target;
    names.emplace_back(hwy::TargetName(target));
  }
  throw UsageError(fmt::format(
      "DROPCHECK_SIMD is '{}', but must be one of {}: what this machine has",
      best, fmt::join(names, ", ")));
}

std::map<std::string, std::string> environment() {
  return {
      {"os", look_up("/etc/os-release", "PRETTY_NAME", '=')},
      {"kernel", kernel()},
      {"cpu", look_up("/proc/cpuinfo", "model name", ':')},
      {"cores", std::to_string(std::thread::hardware_concurrency())},
      {"compiler", compiler()},
      {"boost", boost_version()},
      {"build", DROPCHECK_BUILD_TYPE},
      {"simd", best_simd()},
  };
}

}  // namespace dropcheck::cli
