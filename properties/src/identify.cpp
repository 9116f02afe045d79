#include "dropcheck/properties/identify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>

#include "dropcheck/impl/probability.hpp"
#include "identify_words.hpp"
#include "mode_reading.hpp"
#include "nearest_layer.hpp"
#include "probe.hpp"

namespace dropcheck::properties {
namespace {

constexpr std::int64_t kMostElements = std::int64_t{1} << 16;
/// Small, with real extents: each element is told from each other.
const std::array<impl::Shape, 9> kShapes{impl::Shape{},
                                         {31},
                                         {7, 9},
                                         {5, 4, 6},
                                         {5, 3, 4, 2},
                                         {4, 3, 2, 3, 2},
                                         {2, 3, 2, 2, 2, 2},
                                         {2, 3, 2, 2, 2, 2, 2},
                                         {2, 3, 2, 2, 2, 2, 2, 2}};
/// The rank that the rate is measured at: the first of these that is known.
constexpr std::array<std::size_t, 5> kMainRanks{4, 3, 5, 2, 1};

/// How well a rank shows the law: units that two axes tell apart are best,
/// then other units, then values, then anything at all.
int worth(const RankReading& reading, const Probe& probe) {
  if (reading.unit.empty()) {
    return probe.values.kind == ValueKind::kUnknown ? 1 : 2;
  }
  if (!reading.shared) return 5;
  const auto free =
      std::count(reading.shared->begin(), reading.shared->end(), false);
  return 3 + static_cast<int>(std::min<std::ptrdiff_t>(free, 2));
}

bool is_probed(std::size_t rank) { return rank >= 1 && rank <= 5; }

void require_valid(const IdentifySettings& settings) {
  static_cast<void>(
      impl::Probability::from_drop(settings.config.drop_probability));
  if (!settings.shape) return;
  const std::int64_t elements = impl::element_count(*settings.shape);
  if (elements > 0 && elements <= kMostElements &&
      settings.shape->size() < kShapes.size()) {
    return;
  }
  throw std::invalid_argument(fmt::format(
      "shape is {}, but must have at most {} axes and 1 to {} elements",
      impl::to_string(*settings.shape), kShapes.size() - 1, kMostElements));
}

/// One identification on its way.
class Search {
 public:
  Search(impl::Subject& subject, const impl::SubjectEntry& entry,
         const IdentifySettings& settings)
      : settings_(settings),
        box_(subject, layer_config(entry, settings), settings.seed) {
    found_.subject = entry.name;
    found_.config = box_.config();
    found_.seed = settings.seed;
    found_.alpha = settings.alpha;
    found_.evaluation_words = "not known";
  }

  Identification run() {
    try {
      search();
    } catch (const impl::SubjectCrashed& error) {
      break_off(error.what());
    } catch (const impl::SubjectTimeout& error) {
      break_off(error.what());
    }
    conclude();
    return std::move(found_);
  }

 private:
  void search() {
    for (std::size_t rank = 0; rank < kShapes.size(); ++rank) {
      if (interrupted()) return;
      look_at(rank);
    }
    choose_rank();
    if (!found_.rank) return;
    const auto refusal = refusal_of([this] { read_main(); });
    if (refusal) unknown("more: in later calls it fails: " + *refusal);
  }

  bool interrupted() {
    found_.interrupted =
        settings_.interrupt != nullptr && settings_.interrupt->load();
    return found_.interrupted;
  }

  void break_off(const std::string& why) {
    found_.crashed = true;
    unknown("more: " + why);
  }

  static impl::LayerConfig layer_config(const impl::SubjectEntry& entry,
                                        const IdentifySettings& settings) {
    impl::LayerConfig config = settings.config;
    config.layer = entry.layer;
    return config;
  }

  bool is_own(std::size_t rank) const {
    return settings_.shape && settings_.shape->size() == rank;
  }

  /// Probes inputs of one rank, or only whether they are taken.
  void look_at(std::size_t rank) {
    RankReading reading;
    reading.input = is_own(rank) ? *settings_.shape : kShapes[rank];
    std::optional<Probe> probe;
    const auto refusal = refusal_of([&] {
      if (is_probed(rank) || is_own(rank)) {
        // A tenth of the error for the structure of all ranks together.
        probe =
            take_probe(box_, reading.input, std::log(100.0 / settings_.alpha));
        reading.output = probe->responses.shape;
      } else {
        const impl::Tensor input = box_.input(reading.input);
        reading.output = BoxedLayer(box_, input).shape();
      }
    });
    reading.taken = !refusal;
    reading.refusal = refusal.value_or("");
    if (probe) name_units(*probe, reading);
    found_.ranks.push_back(std::move(reading));
    probes_[rank] = std::move(probe);
  }

  void name_units(const Probe& probe, RankReading& reading) const {
    if (!probe.has_mask() || !probe.units.proved) return;
    reading.shared = shared_axes_of(probe.units.partition, reading.output);
    reading.unit = unit_in_words(probe.units.partition, {}, reading.output);
    reading.fixed = probe.units.fixed;
  }

  void choose_rank() {
    if (settings_.shape) {
      const std::size_t rank = settings_.shape->size();
      if (found_.ranks[rank].taken) found_.rank = rank;
      return;
    }
    int best = 0;
    for (const std::size_t rank : kMainRanks) {
      if (!found_.ranks[rank].taken) continue;
      const int here = worth(found_.ranks[rank], *probes_[rank]);
      if (here > best) found_.rank = rank;
      best = std::max(best, here);
    }
  }

  void read_main() {
    const Probe& main = *probes_[*found_.rank];
    found_.kind = main.values.kind;
    read_values_of(main);
    const EvaluationReading evaluation = read_evaluation(box_, main);
    found_.evaluation = evaluation.kind;
    found_.evaluation_slope = evaluation.slope;
    found_.evaluation_words = evaluation.words;
    const SeedReading seeding = read_seeding(box_, main);
    found_.seeding = seeding.words;
    if (seeding.useless) remark(seeding.words);
    if (evaluation.sticks) {
      remark("training drops nothing once it has been evaluated");
    }
    if (main.by_seeds) remark(main.repetition);
    note_memory();
    note_fixed();
    if (main.has_mask()) read_rate(main);
    if (found_.kind == ValueKind::kNothingDropped ||
        found_.kind == ValueKind::kAllDropped) {
      read_unvaried(main);
    }
    if (main.has_mask() || found_.kind == ValueKind::kNoise) {
      found_.nearest = nearest_layers(found_, main);
      find_rounding(main);
    }
  }

  void remark(std::string what) { found_.remarks.push_back(std::move(what)); }

  void note_memory() {
    const bool asked = settings_.config.in_place;
    if (asked && !box_.works_in_place()) {
      remark("does not work in place, though asked to");
    }
    if (!asked && box_.works_in_place()) {
      remark("works in place, though not asked to");
    } else if (!asked && box_.changes_input()) {
      remark("writes to its input, though not in place");
    }
  }

  void note_fixed() {
    for (const RankReading& reading : found_.ranks) {
      if (reading.fixed == 0) continue;
      remark(
          fmt::format("{} of {} places are decided alike in every call "
                      "(input {})",
                      reading.fixed, impl::element_count(reading.output),
                      impl::to_string(reading.input)));
      return;
    }
  }

  void read_values_of(const Probe& main) {
    const ValueReading& values = main.values;
    found_.noise = values.noise;
    found_.dropped_value = values.dropped;
    found_.base_is_evaluation = values.on_evaluation;
    if (!values.straight) return;
    found_.slope = values.line.slope;
    found_.offset = values.line.offset;
    const double tiny =
        1e-12 + std::ldexp(1.0, -impl::significand_bits(box_.config().dtype));
    if (std::abs(*found_.offset) < tiny) found_.offset = 0;
    const bool copies =
        std::all_of(values.kept.begin(), values.kept.end(),
                    [](const KeptPair& pair) { return pair.x == pair.y; });
    if (copies) found_.slope = 1;
    if (copies) found_.offset = 0;
  }

  void read_rate(const Probe& main) {
    if (main.units.units == 0) return;
    const RateReading rate =
        measure_rate(box_, main, settings_.shape.has_value());
    if (rate.torn > 0) {
      unknown(
          fmt::format("the unit of larger inputs: at {} places of one unit "
                      "were decided differently",
                      impl::to_string(rate.input)));
    }
    if (rate.counts.n == 0) return;
    set_rate(rate.counts);
    if (rate.disperse) suppose_nothing(rate);
    compare_sizes(main, rate);
  }

  /// Units of a call depend on each other: only whole calls count.
  void suppose_nothing(const RateReading& rate) {
    remark(
        fmt::format("the number of drops in a call varies {:.3g} times as "
                    "much as independent decisions make it",
                    rate.dispersion));
    found_.supposes_independence = false;
    found_.interval =
        rate.fractions.confidence_sequence(-std::log(settings_.alpha));
    judge_rate();
  }

  /// Rates of a small and of a large input must not exclude each other.
  void compare_sizes(const Probe& main, const RateReading& rate) {
    const stats::Interval small =
        rate_interval_of(main.units.counts, -std::log(settings_.alpha));
    if (small.lower <= found_.interval.upper &&
        found_.interval.lower <= small.upper) {
      return;
    }
    remark(fmt::format("drops with probability {:.3g} on {}, but {:.3g} on {}",
                       static_cast<double>(main.units.counts.drops) /
                           static_cast<double>(main.units.counts.n),
                       impl::to_string(main.responses.input.shape()),
                       *found_.drop_probability, impl::to_string(rate.input)));
  }

  void set_rate(const stats::Counts& counts) {
    found_.decisions = counts.n;
    found_.drop_probability =
        static_cast<double>(counts.drops) / static_cast<double>(counts.n);
    found_.interval = rate_interval_of(counts, -std::log(settings_.alpha));
    judge_rate();
  }

  void judge_rate() {
    const double asked = settings_.config.drop_probability;
    found_.as_asked =
        asked >= found_.interval.lower && asked <= found_.interval.upper;
  }

  /// Nothing or everything was dropped: every call decided at least once.
  void read_unvaried(const Probe& main) {
    const auto n = static_cast<std::uint64_t>(main.responses.calls);
    set_rate({found_.kind == ValueKind::kAllDropped ? n : 0, n});
  }

  /// The law's own roundings first, then those of the line that was seen.
  std::optional<ValueModel> rounding_model(
      const impl::Law& law, const NearestLayer& nearest,
      const std::vector<KeptPair>& kept) const {
    if (auto model = find_value_model(law, nearest.config, kept)) return model;
    return model_of_line({*found_.slope, *found_.offset, 0},
                         box_.config().dtype, kept);
  }

  void find_rounding(const Probe& main) {
    if (!found_.slope || found_.nearest.empty()) return;
    const NearestLayer& nearest = found_.nearest.front();
    const impl::Law law = *impl::find_law(nearest.config.layer);
    const std::vector<KeptPair>& kept = main.values.kept;
    if (*found_.slope == 1 && *found_.offset == 0) {
      found_.rounding = "bit for bit what is masked";
    } else if (const auto model = rounding_model(law, nearest, kept)) {
      found_.slope = model->factor();
      found_.offset = model->offset;
      std::string text = model->describe();
      if (found_.base_is_evaluation) text.replace(0, 1, "e");
      found_.rounding = "bit for bit " + text;
    } else {
      found_.rounding = "no rounding that is known gives all kept values";
    }
  }

  void unknown(std::string what) { found_.unknown.push_back(std::move(what)); }

  void note_unknown() {
    if (found_.interrupted) return unknown("more: interrupted");
    if (found_.crashed) return;
    if (!found_.rank) {
      const std::size_t rank =
          settings_.shape ? settings_.shape->size() : kMainRanks.front();
      return unknown("anything: it refuses what it is given: " +
                     found_.ranks[rank].refusal);
    }
    const Probe& main = *probes_[*found_.rank];
    if (found_.kind == ValueKind::kUnknown) {
      return unknown("the values: " + main.values.why);
    }
    if (found_.kind == ValueKind::kNothingDropped) {
      return unknown("the unit and the layer: nothing is dropped");
    }
    if (found_.kind == ValueKind::kAllDropped) {
      return unknown("the unit and the layer: everything is dropped");
    }
    if (!main.has_mask()) return;
    // Blocks that overlap look like other units on small maps.
    if (found_.kind == ValueKind::kScalePerCall) {
      unknown(
          "the layer: each call has a scale of its own, which depends on "
          "its mask; units that overlap are not told from others");
    }
    if (found_.ranks[*found_.rank].unit.empty()) {
      unknown(unit_doubt(main));
    }
    if (!found_.slope && found_.kind == ValueKind::kMask) {
      unknown(
          "the scale: kept values are no linear function of the input, nor "
          "of the result at evaluation");
    }
  }

  static std::string unit_doubt(const Probe& main) {
    if (main.units.units == 0) {
      return fmt::format("the unit: all of {} calls have one mask",
                         main.responses.calls);
    }
    return fmt::format("the unit: {} calls with {} distinct masks are too few",
                       main.responses.calls, main.units.distinct);
  }

  void conclude() {
    note_unknown();
    found_.calls = box_.calls();
    found_.identified = found_.unknown.empty() && !found_.nearest.empty();
    found_.law = law_in_words(found_);
    found_.nearest_words = nearest_in_words(found_);
  }

  const IdentifySettings& settings_;
  BlackBox box_;
  std::array<std::optional<Probe>, kShapes.size()> probes_;
  Identification found_;
};

}  // namespace

Identification identify(const impl::SubjectEntry& entry,
                        const IdentifySettings& settings) {
  require_valid(settings);
  const auto subject = entry.open();
  return Search(*subject, entry, settings).run();
}

}  // namespace dropcheck::properties
