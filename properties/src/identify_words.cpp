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
  if (found.kind == ValueKind::kInner) {
    return text + ", the others vary from call to call";
  }
  return found.slope ? text + ", the others " + kept_words(found) : text;
}

std::string noise_words(const Identification& found) {
  const NoiseReading& noise = *found.noise;
  const std::string shape =
      noise.normal ? "normal noise"
                   : fmt::format("noise (skewness {:.3g}, kurtosis {:.3g})",
                                 noise.skewness, noise.kurtosis);
  if (!noise.multiplies || !found.drop_probability) {
    return fmt::format("{} {} of mean {:.4g} and standard deviation {:.4g}",
                       noise.multiplies ? "multiplies by" : "adds", shape,
                       noise.mean, noise.deviation);
  }
  const double p = *found.drop_probability;
  const std::string rate =
      found.as_asked
          ? fmt::format("at p = {:.6g} as asked (read: {})",
                        found.config.drop_probability,
                        interval_words(found.interval))
          : fmt::format("at p = {} (read: {}), where {:.6g} was asked for",
                        rate_text(p, found.interval),
                        interval_words(found.interval),
                        found.config.drop_probability);
  return fmt::format(
      "multiplies by {} of mean {} and variance {:.4g}, {}; drop / keep is the "
      "variance {}",
      shape, noise.mean_is_one ? "1" : fmt::format("{:.5g}", noise.mean),
      p / (1 - p), found.ranks[*found.rank].unit, rate);
}

std::string branches_words(const BranchReading& branches) {
  return fmt::format(
      "returns one of several results {}, drawn anew in every call: {} "
      "distinct ones in {}, so at least {} decision{}; the commonest comes "
      "with probability {:.4g} (read: {})",
      branches.unit, branches.distinct, branches.draws,
      branches.fewest_decisions, branches.fewest_decisions == 1 ? "" : "s",
      branches.commonest, interval_words(branches.interval));
}

std::string block_scale_words(const Identification& found) {
  if (found.blocks->measured_scale) {
    return "the others are multiplied by entries / kept entries of the call";
  }
  if (found.kind == ValueKind::kScalePerCall) {
    return "the others are scaled by another number in each call";
  }
  return "the others become " + kept_words(found);
}

std::string blocks_words(const Identification& found) {
  const BlockReading& blocks = *found.blocks;
  // The usual gamma makes the mean rate p to first order only.
  const double asked = found.config.drop_probability;
  const std::string due =
      found.as_asked
          ? fmt::format("as the usual gamma for p = {:.6g} does", asked)
          : fmt::format("where p = {:.6g} was asked for", asked);
  return fmt::format(
      "drops blocks of {} along ax{} {}, {}; a centre is drawn with "
      "probability {:.4g} (read: {}), which drops {} of all places (read: {}), "
      "{}; dropped values become {:.6g}, {}",
      fmt::join(blocks.sizes, "x"), blocks.axes.size() == 1 ? "is" : "es",
      fmt::join(blocks.axes, " and "),
      blocks.whole_map ? "cut off by the border" : "all of them whole",
      blocks.gamma, interval_words(blocks.gamma_interval),
      rate_text(*found.drop_probability, found.interval),
      interval_words(found.interval), due, *found.dropped_value,
      block_scale_words(found));
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

constexpr const char* kWholeNetwork =
    "which branches and layers there are: a network is verified with its law "
    "and the values at its drop layers";

std::vector<std::string> noise_doubts(const Identification& found) {
  const NoiseReading& noise = *found.noise;
  if (noise.multiplies && noise.normal && noise.mean_is_one) return {};
  return {"the layer: no known one makes such noise"};
}

std::string unit_doubt(const Probe& main) {
  if (main.units.units == 0) {
    return fmt::format("the unit: all of {} calls have one mask",
                       main.responses.calls);
  }
  return fmt::format("the unit: {} calls with {} distinct masks are too few",
                     main.responses.calls, main.units.distinct);
}

std::vector<std::string> mask_doubts(const Identification& found,
                                     const Probe& main) {
  std::vector<std::string> doubts;
  const bool measured = found.blocks && found.blocks->measured_scale;
  if (found.kind == ValueKind::kScalePerCall && !measured) {
    doubts.emplace_back("the scale: each call has one of its own");
  }
  if (found.ranks[*found.rank].unit.empty()) doubts.push_back(unit_doubt(main));
  if (found.kind == ValueKind::kInner) doubts.emplace_back(kWholeNetwork);
  if (!found.slope && found.kind == ValueKind::kMask) {
    doubts.emplace_back(
        "the scale: kept values are no linear function of the input, nor of "
        "the result at evaluation");
  }
  return doubts;
}

}  // namespace

std::string law_in_words(const Identification& found) {
  std::string text;
  switch (found.kind) {
    case ValueKind::kMask:
    case ValueKind::kScalePerCall:
    case ValueKind::kInner:
      text = found.blocks ? blocks_words(found) : mask_words(found);
      break;
    case ValueKind::kBranches:
      text = branches_words(*found.branches);
      break;
    case ValueKind::kNoise:
      text = noise_words(found);
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

std::vector<std::string> doubts_of(const Identification& found,
                                   const Probe& main) {
  switch (found.kind) {
    case ValueKind::kUnknown:
      return {"the values: " + main.values.why};
    case ValueKind::kNothingDropped:
      return {"the unit and the layer: nothing is dropped"};
    case ValueKind::kAllDropped:
      return {"the unit and the layer: everything is dropped"};
    case ValueKind::kNoise:
      return noise_doubts(found);
    case ValueKind::kBranches:
      return {kWholeNetwork};
    default:
      return mask_doubts(found, main);
  }
}

std::string nearest_in_words(const Identification& found) {
  if (found.kind == ValueKind::kBranches) {
    return found.branches->fewest_decisions == 1
               ? "this is no single layer, but a random branch beside "
                 "something that stays"
               : "this is no single layer, but a network of several random "
                 "branches";
  }
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
