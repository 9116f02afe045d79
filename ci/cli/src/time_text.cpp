#include "dropcheck/cli/time_text.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <cmath>

namespace dropcheck::cli {

std::string time_text(double seconds) {
  if (!(seconds >= 0) || seconds > 1e12) return "an unknown time";
  if (seconds < 9.95) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<long long>(std::llround(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600)
    return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  const long long minutes = whole / 60;
  if (whole < 86400) {
    return fmt::format("{} h {:02} min", minutes / 60, minutes % 60);
  }
  const long long hours = whole / 3600;
  return fmt::format("{} d {} h", hours / 24, hours % 24);
}

std::string utc_now() {
  const auto now = std::chrono::floor<std::chrono::seconds>(
      std::chrono::system_clock::now());
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(now)));
}

std::chrono::year_month_day utc_today() {
  return std::chrono::floor<std::chrono::days>(
      std::chrono::system_clock::now());
}

}  // namespace dropcheck::cli
