#include "rate_words.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>
#include <vector>

namespace dropcheck::properties {
namespace {

bool inside(double value, const stats::Interval& interval) {
  return value >= interval.lower && value <= interval.upper;
}

double normal_above(double z) { return std::erfc(z / std::numbers::sqrt2) / 2; }

/// The one point of a grid of `steps` in the interval, if it is next to the
/// specified value and the interval is short against it.
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
  if (std::abs(value - specified) * steps > 1) return std::nullopt;
  return fmt::format("looks like a threshold of {:.0f}/{}", nearest, steps);
}

/// Of the grids that have the rate the most usual one: eight bits, four, and
/// then the coarsest.
std::optional<std::string> threshold_cause(double specified,
                                           const stats::Interval& interval) {
  for (const int steps : {256, 16, 8, 32, 64, 128, 1024, 2048, 4096, 65536}) {
    if (auto cause = grid_cause(specified, interval, steps)) return cause;
  }
  return std::nullopt;
}

struct KnownRate {
  double rate;
  const char* words;
};

/// What mistakes make of the specified rate.
std::vector<KnownRate> known_rates(double p) {
  const double q = 1 - p;
  return {
      {2 * p - p * p, "looks like dropout applied twice"},
      {p / 2, "half of the rate"},
      {2 * p, "twice the rate"},
      {p * p, "the square of the rate"},
      {std::sqrt(p), "the root of the rate"},
      {p / 100, "the rate looks taken for a percentage"},
      {normal_above(q),
       "looks like normal numbers where uniform ones are due: "
       "P(N > keep)"},
      {1 - normal_above(p),
       "looks like normal numbers where uniform ones are due: P(N < p)"},
      {2 * normal_above(q),
       "looks like normal numbers where uniform ones are due: P(|N| > keep)"},
      {1 - 2 * normal_above(p),
       "looks like normal numbers where uniform ones are due: P(|N| < p)"},
      {p < 0.5 ? 2 * p * p : 1 - 2 * q * q,
       "looks like the mean of two uniform numbers compared with p"},
      {1 - q * q * q, "looks like dropout applied three times"},
      {-std::expm1(-p), "looks like 1 - exp(-p)"},
      {-std::log1p(-p), "looks like -ln(1 - p)"},
      {p * q, "looks like drop * keep"},
      {p / q, "looks like drop / keep"},
      {p / (1 + p), "looks like p / (1 + p)"},
      {(1 + p) / 2, "looks like uniform numbers from -1 to 1 compared with p"},
  };
}

/// Defaults that take the place of an argument that is not passed on.
std::optional<std::string> usual_default(double specified,
                                         const stats::Interval& interval) {
  if (interval.upper - interval.lower > 0.02) return std::nullopt;
  for (const double usual : {0.5, 0.1, 0.2, 0.25, 0.3}) {
    if (usual == specified || !inside(usual, interval)) continue;
    return fmt::format(
        "looks like {:g}, a usual default: the argument does not arrive",
        usual);
  }
  return std::nullopt;
}

/// How far off, where no mistake is known that has this rate.
std::string difference(double specified, const stats::Interval& interval) {
  const double seen = (interval.lower + interval.upper) / 2;
  const double half = (interval.upper - interval.lower) / 2;
  const double off = seen - specified;
  const int digits =
      std::clamp(static_cast<int>(std::ceil(-std::log10(half))), 1, 9);
  const char* way = off > 0 ? "too high" : "too low";
  if (half > std::abs(off) / 4) {
    return fmt::format("{} by {:.{}f}", way, std::abs(off), digits);
  }
  return fmt::format("{} by {:.{}f}, a factor of {:.3g}", way, std::abs(off),
                     digits, seen / specified);
}

std::string none_dropped(double specified, const stats::Interval& interval) {
  if (interval.lower > 0) return "it hardly drops";
  if (specified >= 1.0 / 256) return "it drops nothing";
  return "it drops nothing, as a threshold of eight bits does below 1/256";
}

}  // namespace

std::string cause_of_rate(double specified, const stats::Interval& interval) {
  if (interval.upper < specified / 200 ||
      (interval.upper < specified / 2 && interval.lower <= 0)) {
    return none_dropped(specified, interval);
  }
  if (interval.lower > 1 - 1e-3) return "it drops everything";
  if (specified != 0.5 && inside(1 - specified, interval)) {
    return "keep and drop are swapped";
  }
  std::vector<std::string> fitting;
  if (auto cause = threshold_cause(specified, interval)) {
    fitting.push_back(*cause);
  }
  for (const KnownRate& known : known_rates(specified)) {
    if (inside(known.rate, interval)) fitting.emplace_back(known.words);
  }
  if (auto cause = usual_default(specified, interval)) {
    fitting.push_back(*cause);
  }
  // Of many that fit none is known.
  if (fitting.empty() || fitting.size() > 2) {
    return difference(specified, interval);
  }
  return fmt::format("{}", fmt::join(fitting, ", or "));
}

std::string rate_text(double observed, const stats::Interval& interval) {
  const double width = interval.upper - interval.lower;
  if (!(width > 0)) return fmt::format("{:.6g}", observed);
  const int digits =
      std::clamp(static_cast<int>(std::ceil(-std::log10(width / 2))), 1, 9);
  return fmt::format("{:.{}f}", observed, digits);
}

}  // namespace dropcheck::properties
