#include "nearest_layer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "granularity.hpp"

namespace dropcheck::properties {
namespace {

/// What a difference counts. They only order the laws: a unit or a kind of
/// decision weighs more than a value, a value more than a rank that is refused.
constexpr double kOtherKind = 8;
constexpr double kOtherUnit = 4;
constexpr double kOtherUnitElsewhere = 1;
constexpr double kOtherValue = 1.5;  ///< and up to 0.5 more by how far off
constexpr double kOtherBase = 3;
constexpr double kOtherEvaluation = 2;
constexpr double kOtherRate = 1;
constexpr double kRemark = 1;
constexpr double kOtherRanks = 0.1;
/// Of two laws that fit alike, the one with fewer options.
constexpr double kOption = 0.05;

struct Candidate {
  impl::Law law;
  impl::LayerConfig config;
  std::string options;
};

std::string axes_text(const std::vector<int>& axes) {
  return fmt::format("sharing ax{} {}", axes.size() == 1 ? "is" : "es",
                     fmt::join(axes, " and "));
}

std::string options_text(const impl::LayerConfig& config) {
  std::vector<std::string> words;
  if (config.channels_last) words.emplace_back("channels last");
  if (!config.scale_by_keep) words.emplace_back("survivors not scaled");
  if (!config.shared_axes.empty()) {
    words.push_back(axes_text(config.shared_axes));
  }
  if (config.samples > 0) {
    words.push_back(fmt::format("{} masks a call", config.samples));
  }
  return fmt::format("{}", fmt::join(words, ", "));
}

/// The axes that share a decision in the results that were read.
std::vector<int> shared_axes_of(const Identification& found) {
  std::vector<int> axes;
  const RankReading& main = found.ranks[*found.rank];
  for (std::size_t axis = 0; main.shared && axis < main.shared->size();
       ++axis) {
    if ((*main.shared)[axis]) axes.push_back(static_cast<int>(axis));
  }
  return axes;
}

/// How many results one input gave, where they stand on an axis of their own.
std::int64_t samples_of(const Identification& found) {
  const RankReading& main = found.ranks[*found.rank];
  const bool more = main.output.size() == main.input.size() + 1;
  return more ? main.output.front() : 0;
}

/// A variant of a reference layer, with the numbers that were seen.
impl::LayerConfig fitted(const impl::Law& law, impl::LayerConfig config,
                         const Identification& found) {
  config.drop_probability = found.config.drop_probability;
  config.dtype = found.config.dtype;
  config.in_place = false;
  const bool any_axes = law.shared_axis < 0 && !config.shared_axes.empty();
  if (any_axes) config.shared_axes = shared_axes_of(found);
  if (config.samples > 0) config.samples = samples_of(found);
  return config;
}

/// Every law, plain and with the options that its reference layer has.
std::vector<Candidate> candidates(const Identification& found) {
  std::vector<Candidate> all;
  const auto add = [&](const impl::Law& law, const impl::LayerConfig& config) {
    const auto same = [&](const Candidate& other) {
      return other.law.layer == law.layer && other.config == config;
    };
    if (std::none_of(all.begin(), all.end(), same)) {
      all.push_back({law, config, options_text(config)});
    }
  };
  for (const impl::SubjectEntry& entry : impl::builtin_subjects()) {
    const impl::Law law = impl::law_of(entry);
    // Overlapping blocks with a scale of every call are not identified.
    if (law.unit == impl::Unit::kBlock || law.factor != impl::Factor::kMask) {
      continue;
    }
    add(law, fitted(law, {.layer = entry.layer}, found));
    for (const impl::LayerConfig& variant : entry.variants) {
      add(law, fitted(law, variant, found));
    }
    // Some libraries read a channel law's input of one rank less as unbatched.
    if (law.unit == impl::Unit::kChannel && law.spatial_axes == 0 &&
        law.maximum_rank <= 5) {
      impl::Law unbatched = law;
      unbatched.spatial_axes = law.maximum_rank - 2;
      all.push_back(
          {unbatched, fitted(law, {.layer = entry.layer}, found),
           fmt::format("rank {} is unbatched", unbatched.spatial_axes + 1)});
    }
  }
  return all;
}

/// A value seen against the range that it has over an interval of p.
bool fits(double seen, double a, double b, double tolerance) {
  return seen >= std::min(a, b) - tolerance &&
         seen <= std::max(a, b) + tolerance;
}

double unit_of(impl::DType dtype) {
  return std::ldexp(8.0, -impl::significand_bits(dtype));
}

/// Whether the kept values are those of a law between two of its maps.
bool kept_fits(const impl::Affine& low, const impl::Affine& high,
               const Identification& found) {
  if (!found.slope) return true;
  const double unit = unit_of(found.config.dtype);
  return fits(*found.slope, low.a, high.a, unit * std::abs(low.a)) &&
         fits(*found.offset, low.b, high.b,
              unit * (std::abs(low.a) + std::abs(low.b)));
}

bool dropped_fits(const impl::Affine& low, const impl::Affine& high,
                  const Identification& found) {
  if (!found.dropped_value) return true;
  const double unit = unit_of(found.config.dtype);
  return fits(*found.dropped_value, low.dropped_value(), high.dropped_value(),
              unit * (std::abs(low.a * low.c) + std::abs(low.b)));
}

/// Between 0 and 1.
double relative_distance(double a, double b) {
  const double size = std::abs(a) + std::abs(b);
  return size > 0 ? std::abs(a - b) / size : 0;
}

std::string line_text(double slope, double offset) {
  if (slope == 1 && offset == 0) return "x";
  std::string text = fmt::format("{:.7g} * x", slope);
  if (std::abs(offset) > 1e-9) text += fmt::format(" {:+.7g}", offset);
  return text;
}

/// Compares what was found with one law.
class Comparison {
 public:
  Comparison(const Identification& found, const Probe& main,
             const Candidate& candidate)
      : found_(found), main_(main), candidate_(candidate) {
    result_.config = candidate.config;
    result_.options = candidate.options;
  }

  NearestLayer compare() {
    compare_kinds();
    compare_ranks();
    compare_values();
    compare_evaluation();
    compare_rate();
    for (const std::string& remark : found_.remarks) differ(kRemark, remark);
    if (!candidate_.options.empty()) result_.distance += kOption;
    return std::move(result_);
  }

 private:
  std::string name() const { return candidate_.config.layer; }

  void differ(double cost, std::string words) {
    result_.distance += cost;
    result_.differences.push_back(std::move(words));
  }

  void compare_kinds() {
    if (found_.kind == ValueKind::kNoise) {
      differ(kOtherKind, fmt::format("makes noise, where {} drops", name()));
    } else if (found_.kind == ValueKind::kScalePerCall) {
      differ(kOtherValue, fmt::format("scales each call by a number of its "
                                      "own, where {} has one scale",
                                      name()));
    }
  }

  /// The law's units for an input; empty where the law refuses it.
  std::optional<std::vector<bool>> due(const RankReading& reading) const {
    try {
      const impl::Shape output =
          impl::output_shape(candidate_.law, candidate_.config, reading.input);
      return impl::shared_axes(candidate_.law, candidate_.config, output);
    } catch (const std::invalid_argument&) {
      return std::nullopt;
    }
  }

  void compare_ranks() {
    std::vector<std::size_t> refused;
    std::vector<std::size_t> extra;
    const RankReading& first = found_.ranks[*found_.rank];
    if (const auto units = due(first)) compare_units(first, *units, true);
    for (std::size_t i = 0; i < found_.ranks.size(); ++i) {
      const RankReading& reading = found_.ranks[i];
      const auto units = due(reading);
      const std::size_t rank = reading.input.size();
      if (units && !reading.taken) refused.push_back(rank);
      if (!units && reading.taken) extra.push_back(rank);
      if (units && reading.taken && i != *found_.rank) {
        compare_units(reading, *units, false);
      }
    }
    note_ranks("refuses", refused);
    note_ranks("takes", extra);
    // Of the rank that all else was read at, the law says nothing.
    const std::size_t main = found_.ranks[*found_.rank].input.size();
    if (std::find(extra.begin(), extra.end(), main) != extra.end()) {
      result_.distance += kOtherUnit;
    }
    if (compared_ > 0) {
      result_.distance += kOtherUnitElsewhere * differing_ / compared_;
    } else if (unit_differs_) {
      result_.distance += kOtherUnitElsewhere;
    }
  }

  void note_ranks(std::string_view verb,
                  const std::vector<std::size_t>& ranks) {
    if (ranks.empty()) return;
    differ(kOtherRanks,
           fmt::format("{} rank{} {}, which {} {}", verb,
                       ranks.size() == 1 ? "" : "s", fmt::join(ranks, ", "),
                       name(), verb == "takes" ? "refuses" : "takes"));
  }

  void compare_units(const RankReading& reading, const std::vector<bool>& due,
                     bool main) {
    if (reading.unit.empty()) return;
    const bool agree = reading.shared && same_axes(reading, due);
    if (!main) {
      ++compared_;
      differing_ += agree ? 0 : 1;
    }
    if (agree || unit_differs_) return;
    unit_differs_ = true;
    differ(main ? kOtherUnit : 0,
           fmt::format("one decision {}, where {} has one {} (input {})",
                       reading.unit, name(), due_words(reading, due),
                       impl::to_string(reading.input)));
  }

  /// Axes of extent 1 say nothing.
  static bool same_axes(const RankReading& reading,
                        const std::vector<bool>& due) {
    if (due.size() != reading.shared->size()) return false;
    for (std::size_t axis = 0; axis < due.size(); ++axis) {
      if (reading.output[axis] > 1 && due[axis] != (*reading.shared)[axis]) {
        return false;
      }
    }
    return true;
  }

  std::string due_words(const RankReading& reading,
                        const std::vector<bool>& due) const {
    if (due.size() != reading.output.size()) return "of another shape";
    return declared_unit_in_words(candidate_.law, candidate_.config,
                                  reading.output);
  }

  impl::Affine affine_at(double p) const {
    impl::LayerConfig config = candidate_.config;
    config.drop_probability = std::clamp(p, 0.0, 1.0);
    return impl::affine(candidate_.law, config);
  }

  /// The values may be the law's at the p asked for or at the p seen.
  void compare_values() {
    if (!found_.slope && !found_.dropped_value) return;
    const impl::Affine asked = affine_at(found_.config.drop_probability);
    const impl::Affine low = affine_at(found_.interval.lower);
    const impl::Affine high = affine_at(found_.interval.upper);
    const bool other_rate = found_.drop_probability && !found_.as_asked;
    if (other_rate && kept_fits(low, high, found_) &&
        dropped_fits(low, high, found_)) {
      return;
    }
    if (!kept_fits(asked, asked, found_)) note_kept(asked);
    if (!dropped_fits(asked, asked, found_)) {
      const double due = asked.dropped_value();
      differ(kOtherValue + relative_distance(*found_.dropped_value, due) / 2,
             fmt::format("dropped values are {:.7g}, where {} has {:.7g}",
                         *found_.dropped_value, name(), due));
    }
  }

  void note_kept(const impl::Affine& due) {
    differ(kOtherValue + relative_distance(*found_.slope, due.a) / 4 +
               relative_distance(*found_.offset, due.b) / 4,
           fmt::format("kept values are {}, where {} has {}",
                       line_text(*found_.slope, *found_.offset), name(),
                       line_text(due.a, due.b)));
  }

  /// What the reference layer returns at evaluation for the probe's input.
  std::optional<std::vector<double>> reference_evaluation() const {
    for (const impl::SubjectEntry& entry : impl::builtin_subjects()) {
      if (entry.layer != candidate_.config.layer) continue;
      const auto subject = entry.open();
      BlackBox box(*subject, candidate_.config, found_.seed);
      const auto responses = evaluate_once(box, main_.responses.input);
      if (responses) return responses->values;
    }
    return std::nullopt;
  }

  bool evaluates_alike(const std::vector<double>& due) const {
    if (!main_.evaluation || main_.evaluation->size() != due.size()) {
      return false;
    }
    const double unit =
        std::ldexp(64.0, -impl::significand_bits(found_.config.dtype));
    for (std::size_t i = 0; i < due.size(); ++i) {
      const double seen = (*main_.evaluation)[i];
      if (!(std::abs(seen - due[i]) <= unit * std::abs(due[i]))) return false;
    }
    return true;
  }

  void compare_evaluation() {
    const bool plain = found_.evaluation != EvaluationKind::kRandom &&
                       found_.evaluation != EvaluationKind::kRefused;
    const bool identity = found_.evaluation == EvaluationKind::kIdentity;
    if (candidate_.law.base == impl::Base::kInput) {
      if (identity) return;
    } else if (plain) {
      // Where the reference refuses the rank there is nothing to compare.
      const auto due = reference_evaluation();
      if (!due || evaluates_alike(*due)) return;
    }
    differ(kOtherEvaluation,
           fmt::format("at evaluation: {}", found_.evaluation_words));
    if (candidate_.law.base == impl::Base::kInput &&
        found_.base_is_evaluation) {
      differ(kOtherBase, fmt::format("the mask multiplies the result at "
                                     "evaluation, where {} masks its input",
                                     name()));
    }
  }

  void compare_rate() {
    if (!found_.drop_probability || found_.as_asked) return;
    differ(kOtherRate, fmt::format("drops with probability {:.4g}, not {:.6g}",
                                   *found_.drop_probability,
                                   found_.config.drop_probability));
  }

  const Identification& found_;
  const Probe& main_;
  const Candidate& candidate_;
  NearestLayer result_;
  bool unit_differs_ = false;
  double compared_ = 0;  ///< ranks but the main one whose units are known
  double differing_ = 0;
};

}  // namespace

std::vector<NearestLayer> nearest_layers(const Identification& found,
                                         const Probe& main) {
  std::vector<NearestLayer> all;
  for (const Candidate& candidate : candidates(found)) {
    NearestLayer layer = Comparison(found, main, candidate).compare();
    const auto known =
        std::find_if(all.begin(), all.end(), [&](const NearestLayer& other) {
          return other.config.layer == layer.config.layer;
        });
    if (known == all.end()) {
      all.push_back(std::move(layer));
    } else if (layer.distance < known->distance) {
      *known = std::move(layer);
    }
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const NearestLayer& a, const NearestLayer& b) {
                     return a.distance < b.distance;
                   });
  return all;
}

std::string_view layer_that_does(const Behaviour& seen, const impl::Law& law,
                                 const impl::LayerConfig& config) {
  Identification found;
  found.config = config;
  found.slope = seen.slope;
  found.offset = seen.offset;
  found.dropped_value = seen.dropped;
  for (const impl::Law& other : impl::laws()) {
    // (C, H, W, D) without a batch has channels where others have samples.
    const bool unbatched =
        other.spatial_axes > 0 &&
        static_cast<int>(seen.shape.size()) == other.spatial_axes + 1;
    if (other.layer == law.layer || other.base != law.base || unbatched ||
        other.unit == impl::Unit::kBlock ||
        other.factor != impl::Factor::kMask) {
      continue;
    }
    const impl::LayerConfig plain{.drop_probability = config.drop_probability,
                                  .dtype = config.dtype};
    try {
      const impl::Affine map = impl::affine(other, plain);
      if (impl::shared_axes(other, plain, seen.shape) == seen.shared &&
          kept_fits(map, map, found) && dropped_fits(map, map, found)) {
        return other.layer;
      }
    } catch (const std::invalid_argument&) {
      continue;  // The law does not take this rank.
    }
  }
  return {};
}

}  // namespace dropcheck::properties
