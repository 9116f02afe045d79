#include "nearest_layer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "dropcheck/impl/block_law.hpp"
#include "granularity.hpp"
#include "law_candidates.hpp"
#include "value_fit.hpp"

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
/// Of two laws that fit alike, the one with fewer options...
constexpr double kOption = 0.05;
/// ... and the one that does not take samples for channels.
constexpr double kUnbatched = 0.01;

/// Compares what was found with one law.
class Comparison {
 public:
  Comparison(const Identification& found, const Probe& main,
             const LawCandidate& candidate)
      : found_(found), main_(main), candidate_(candidate) {
    result_.config = candidate.config;
    result_.options = candidate.options;
  }

  NearestLayer compare() {
    compare_kinds();
    if (found_.blocks) compare_blocks();
    if (found_.noise) compare_noise();
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
    if (found_.kind == ValueKind::kInner) {
      differ(kOtherBase,
             "its kept values are random themselves: other random "
             "layers stand before it");
    }
    const bool due = found_.blocks && found_.blocks->measured_scale;
    if (found_.kind != ValueKind::kScalePerCall || due) return;
    differ(kOtherValue, fmt::format("scales each call by a number of its own, "
                                    "where {} has one scale",
                                    name()));
  }

  void compare_noise() {
    const NoiseReading& noise = *found_.noise;
    if (!noise.multiplies) {
      return differ(kOtherKind, fmt::format("adds noise, where {} multiplies "
                                            "by it",
                                            name()));
    }
    if (!noise.mean_is_one) {
      differ(kOtherValue,
             fmt::format("its noise has the mean {:.5g}, not 1", noise.mean));
    }
    if (!noise.normal) {
      differ(kOtherValue, fmt::format("its noise is not normal (skewness "
                                      "{:.3g}, kurtosis {:.3g})",
                                      noise.skewness, noise.kurtosis));
    }
  }

  void compare_blocks() {
    const BlockReading& seen = *found_.blocks;
    std::vector<int> due;
    for (int axis = 0; axis < candidate_.law.spatial_axes; ++axis) {
      due.push_back(axis + 2);
    }
    // Another rank is told by itself.
    if (std::ssize(seen.shape) == candidate_.law.spatial_axes + 2) {
      if (seen.axes != due) {
        differ(kOtherUnit,
               fmt::format("blocks reach along ax{} {}, where those of {} "
                           "reach along axes {}",
                           seen.axes.size() == 1 ? "is" : "es",
                           fmt::join(seen.axes, " and "), name(),
                           fmt::join(due, " and ")));
      }
      compare_gamma();
    }
    const bool cube = std::all_of(
        seen.sizes.begin(), seen.sizes.end(),
        [&](std::int64_t size) { return size == seen.sizes.front(); });
    if (!cube) {
      differ(kOtherUnit / 2,
             fmt::format("blocks are {}, where those of {} have one length",
                         fmt::join(seen.sizes, "x"), name()));
    }
    for (const int axis : seen.shared) {
      if (axis == 1) continue;
      differ(kOtherUnit / 2, fmt::format("one mask for all of axis {}", axis));
    }
  }

  void compare_gamma() {
    const BlockReading& seen = *found_.blocks;
    const double due =
        impl::block_law(candidate_.law, candidate_.config, seen.shape).gamma;
    if (seen.gamma_interval.lower <= due && due <= seen.gamma_interval.upper) {
      return;
    }
    differ(kOtherRate + relative_distance(seen.gamma, due),
           fmt::format("centres are drawn with probability {:.4g}, where {} "
                       "has {:.4g}",
                       seen.gamma, name(), due));
  }

  /// A layer behind another function is read on what that makes of the input,
  /// and which ranks are taken is the function's choice.
  bool behind_function() const {
    return found_.evaluation == EvaluationKind::kFunction &&
           (found_.base_is_evaluation || found_.kind == ValueKind::kInner);
  }

  /// The law's units for an input; empty where the law refuses it.
  std::optional<std::vector<bool>> due(const RankReading& reading) const {
    try {
      const impl::Shape output =
          behind_function()
              ? reading.output
              : impl::output_shape(candidate_.law, candidate_.config,
                                   reading.input);
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
    if (!behind_function()) {
      note_ranks("refuses", refused);
      note_ranks("takes", extra);
    }
    // Of the rank that all else was read at, the law says nothing.
    const std::size_t main = found_.ranks[*found_.rank].input.size();
    if (std::find(extra.begin(), extra.end(), main) != extra.end()) {
      result_.distance += kOtherUnit;
    }
    if (static_cast<int>(main) == candidate_.law.spatial_axes + 1) {
      result_.distance += kUnbatched;
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
    if (reading.unit.empty() || found_.blocks) return;
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
    if (candidate_.law.base == impl::Base::kInput &&
        found_.base_is_evaluation && plain) {
      return differ(kOtherBase,
                    "another function of the input stands before it");
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
    if (!found_.drop_probability || found_.as_asked || found_.blocks) return;
    if (found_.noise) {
      return differ(
          kOtherRate,
          fmt::format("its variance is that of p = {:.4g}, not {:.6g}",
                      *found_.drop_probability,
                      found_.config.drop_probability));
    }
    differ(kOtherRate, fmt::format("drops with probability {:.4g}, not {:.6g}",
                                   *found_.drop_probability,
                                   found_.config.drop_probability));
  }

  const Identification& found_;
  const Probe& main_;
  const LawCandidate& candidate_;
  NearestLayer result_;
  bool unit_differs_ = false;
  double compared_ = 0;  ///< ranks but the main one whose units are known
  double differing_ = 0;
};

}  // namespace

std::vector<NearestLayer> nearest_layers(const Identification& found,
                                         const Probe& main) {
  std::vector<NearestLayer> all;
  for (const LawCandidate& candidate : law_candidates(found)) {
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

}  // namespace dropcheck::properties
