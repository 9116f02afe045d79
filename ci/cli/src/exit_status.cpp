#include "dropcheck/cli/exit_status.hpp"

#include <algorithm>
#include <array>

namespace dropcheck::cli {
namespace {

constexpr std::array kWorstFirst = {kInterrupted, kInternal, kUsage, 1,
                                    kEnvironment, 3,         5,      kSuccess};

auto rank(int status) {
  const auto at = std::find(kWorstFirst.begin(), kWorstFirst.end(), status);
  return at == kWorstFirst.end() ? kWorstFirst.begin() + 1 : at;
}

}  // namespace

int worse_status(int a, int b) { return *std::min(rank(a), rank(b)); }

}  // namespace dropcheck::cli
