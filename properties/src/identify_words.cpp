#include "identify_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "rate_words.hpp"

namespace dropcheck::properties {
namespace {

/// Below this distance nothing but ranks and options differs.
constexpr double kSameLaw = 0.5;

/// Rounded outwards to one digit more than is known.
std::string interval_words(const stats::Interval& interval) {
  const double width = interval.upper - interval.lower;
  const int digits =
      width > 0
          ? std::clamp(static_cast<int>(std::ceil(1 - std::log10(width))), 2, 9)
          : 6;
  const double scale = std::pow(10.0, digits);
  return fmt::format("[{:.{}f}, {:.{}f}]",
                     std::floor(interval.lower * scale) / scale, digits,
                     std::ceil(interval.upper * scale) / scale, digits);
}

std::string rate_words(const Identification& found) {
  const double asked = found.config.drop_probability;
  const std::string interval = interval_words(found.interval);
  if (found.as_asked) {
    return fmt::format("drops with probability {:.6g} as asked (read: {})",
                       asked, interval);
  }
  return fmt::format(
      "drops with probability {} (read: {}), where {:.6g} was asked for",
      rate_text(*found.drop_probability, found.interval), interval, asked);
}

std::string kept_words(const Identification& found, const char* base) {
  const double keep = 1 - found.config.drop_probability;
  const double tolerance =
      std::ldexp(8.0, -impl::significand_bits(found.config.dtype));
  if (*found.offset != 0) {
    return fmt::format("{:.6g} * {} {:+.6g}", *found.slope, base,
                       *found.offset);
  }
  if (*found.slope == 1) return base;
  if (std::abs(*found.slope * keep - 1) <= tolerance) {
    return fmt::format("{} / {:.6g}", base, keep);
  }
  return fmt::format("{:.6g} * {}", *found.slope, base);
}

std::string kept_words(const Identification& found) {
  return found.base_is_evaluation
             ? kept_words(found, "e") + " (e is the result at evaluation)"
             : kept_words(found, "x");
}

std::string values_words(const Identification& found) {
  std::string text;
  if (found.dropped_value) {
    text = fmt::format("dropped values become {:.6g}", *found.dropped_value);
  }
  if (found.kind == ValueKind::kScalePerCall) {
    return text + ", the others are scaled by another number in each call";
  }
  return found.slope ? text + ", the others " + kept_words(found) : text;
}

std::string noise_words(const NoiseReading& noise) {
  const bool normal =
      std::abs(noise.skewness) < 0.15 && std::abs(noise.kurtosis - 3) < 0.3;
  return fmt::format(
      "{} noise of mean {:.4g} and standard deviation {:.4g}, {}",
      noise.multiplies ? "multiplies by" : "adds", noise.mean, noise.deviation,
      normal ? "normal as far as four moments tell"
             : fmt::format("not normal (skewness {:.3g}, kurtosis {:.3g})",
                           noise.skewness, noise.kurtosis));
}

std::string mask_words(const Identification& found) {
  const std::string& unit = found.ranks[*found.rank].unit;
  std::string text = unit.empty() ? "" : "decides once " + unit + "; ";
  if (found.drop_probability) text += rate_words(found) + "; ";
  return text + values_words(found);
}

std::string unvaried_words(const Identification& found) {
  const std::string calls =
      fmt::format("in {} calls at p = {:.6g}", found.decisions,
                  found.config.drop_probability);
  if (found.kind == ValueKind::kAllDropped) {
    return fmt::format("returns {:.6g} everywhere, {}", *found.dropped_value,
                       calls);
  }
  return fmt::format("drops nothing {}: it returns {}", calls,
                     found.slope ? kept_words(found) : "one result");
}

std::string name_of(const NearestLayer& layer) {
  return layer.options.empty()
             ? layer.config.layer
             : fmt::format("{} ({})", layer.config.layer, layer.options);
}

}  // namespace

std::string law_in_words(const Identification& found) {
  std::string text;
  switch (found.kind) {
    case ValueKind::kMask:
    case ValueKind::kScalePerCall:
      text = mask_words(found);
      break;
    case ValueKind::kNoise:
      text = noise_words(*found.noise);
      break;
    case ValueKind::kNothingDropped:
    case ValueKind::kAllDropped:
      text = unvaried_words(found);
      break;
    case ValueKind::kUnknown:
      return "its law cannot be told";
  }
  return fmt::format("{}; at evaluation: {}", text, found.evaluation_words);
}

std::string nearest_in_words(const Identification& found) {
  if (found.nearest.empty()) return "no layer can be named";
  const NearestLayer& first = found.nearest.front();
  if (!first.differences.empty()) {
    return fmt::format("{} {}, but: {}",
                       first.distance < kSameLaw ? "this is" : "nearest to",
                       name_of(first), fmt::join(first.differences, "; "));
  }
  std::vector<std::string> equals;
  for (const NearestLayer& other : found.nearest) {
    if (&other != &first && other.differences.empty()) {
      equals.push_back(name_of(other));
    }
  }
  return equals.empty()
             ? fmt::format("this is {}: nothing differs", name_of(first))
             : fmt::format("this is {}: nothing differs, nor from {}",
                           name_of(first), fmt::join(equals, ", "));
}

}  // namespace dropcheck::properties
