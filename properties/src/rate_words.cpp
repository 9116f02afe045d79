#include "rate_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace dropcheck::properties {
namespace {

bool inside(double value, const stats::Interval& interval) {
  return value >= interval.lower && value <= interval.upper;
}

/// The one point of a grid of `steps` in the interval, if it is near the
/// specified value (within one step) and the interval is short against it.
std::optional<std::string> grid_cause(double specified,
                                      const stats::Interval& interval,
                                      int steps) {
  const double width = interval.upper - interval.lower;
  // A point of a fine grid lies in almost any interval: then it says nothing.
  const double most = steps <= 256 ? 0.35 : 0.1;
  if (width * steps > most) return std::nullopt;
  const double nearest =
      std::round((interval.lower + interval.upper) / 2 * steps);
  const double value = nearest / steps;
  if (!inside(value, interval)) return std::nullopt;
  if (std::abs(value - specified) * steps > 1.5) return std::nullopt;
  return fmt::format("looks like a threshold of {:.0f}/{}", nearest, steps);
}

}  // namespace

std::optional<std::string> cause_of_rate(double specified,
                                         const stats::Interval& interval) {
  if (interval.upper < specified / 2 && interval.upper < 1e-3) {
    return interval.lower <= 0 ? "it drops nothing" : "it hardly drops";
  }
  if (interval.lower > 1 - 1e-3) return "it drops everything";
  if (specified != 0.5 && inside(1 - specified, interval)) {
    return "keep and drop are swapped";
  }
  for (const int steps : {256, 128, 16, 1024, 2048, 65536}) {
    if (auto cause = grid_cause(specified, interval, steps)) return cause;
  }
  const double twice = 1 - (1 - specified) * (1 - specified);
  if (inside(twice, interval)) return "looks like dropout applied twice";
  if (inside(specified / 2, interval)) return "half of the rate";
  if (inside(specified * specified, interval)) return "the square of the rate";
  return std::nullopt;
}

std::string rate_text(double observed, const stats::Interval& interval) {
  const double width = interval.upper - interval.lower;
  if (!(width > 0)) return fmt::format("{:.6g}", observed);
  const int digits =
      std::clamp(static_cast<int>(std::ceil(-std::log10(width / 2))), 1, 9);
  return fmt::format("{:.{}f}", observed, digits);
}

}  // namespace dropcheck::properties
