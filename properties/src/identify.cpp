#include "dropcheck/properties/identify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>

#include "block_reading.hpp"
#include "branch_reading.hpp"
#include "dropcheck/impl/block_law.hpp"
#include "dropcheck/impl/probability.hpp"
#include "identify_words.hpp"
#include "kept_rounding.hpp"
#include "mode_reading.hpp"
#include "nearest_layer.hpp"
#include "noise_reading.hpp"
#include "probe.hpp"
#include "subject_dtypes.hpp"

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
    look_for_blocks();
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
    if (main.has_mask() && !found_.blocks) read_rate(main);
    if (found_.kind == ValueKind::kNoise) read_noise(main);
    if (found_.kind == ValueKind::kUnknown) look_for_branches(main);
    if (found_.kind == ValueKind::kNothingDropped ||
        found_.kind == ValueKind::kAllDropped) {
      read_unvaried(main);
    }
    if (main.has_mask() || found_.kind == ValueKind::kNoise) {
      found_.nearest = nearest_layers(found_, main);
      judge_blocks();
      find_rounding(found_, main);
    }
  }

  /// As asked is what the nearest law says of the rate of centres.
  void judge_blocks() {
    if (!found_.blocks || found_.nearest.empty()) return;
    const impl::LayerConfig& config = found_.nearest.front().config;
    const impl::Law& law = *impl::find_law(config.layer);
    if (std::ssize(found_.blocks->shape) != law.spatial_axes + 2) return;
    const double due = impl::block_law(law, config, found_.blocks->shape).gamma;
    const stats::Interval& seen = found_.blocks->gamma_interval;
    found_.as_asked = seen.lower <= due && due <= seen.upper;
  }

  /// Drops in blocks are read on maps that are larger than them.
  void look_for_blocks() {
    Probe& main = *probes_[*found_.rank];
    if (!main.has_mask() || main.values.kind == ValueKind::kInner) return;
    std::optional<BlockEvidence> evidence;
    // A layer of one size only refuses the map.
    const auto refusal = refusal_of([&] {
      evidence = read_blocks(box_, *found_.rank, settings_.shape,
                             std::log(1 / settings_.alpha));
    });
    if (refusal || !evidence) return;
    RankReading& reading = found_.ranks[*found_.rank];
    reading.input = evidence->probe.responses.input.shape();
    reading.output = evidence->probe.responses.shape;
    reading.shared.reset();
    reading.fixed = 0;
    reading.unit =
        fmt::format("in blocks of {}", fmt::join(evidence->blocks.sizes, "x"));
    found_.blocks = evidence->blocks;
    found_.decisions = evidence->probe.units.counts.n;
    found_.drop_probability = evidence->rate;
    found_.interval = evidence->interval;
    for (std::string& what : evidence->remarks) remark(std::move(what));
    main = std::move(evidence->probe);
  }

  void read_noise(const Probe& main) {
    if (!found_.noise->multiplies) return;
    const NoiseEvidence evidence =
        read_noise_law(box_, main, std::log(1 / settings_.alpha));
    found_.noise = evidence.noise;
    found_.decisions = evidence.noise.n;
    RankReading& reading = found_.ranks[*found_.rank];
    reading.shared = evidence.shared;
    reading.unit = shared_unit_in_words(evidence.shared, reading.output);
    if (!(evidence.drop_probability > 0)) return;
    found_.drop_probability = evidence.drop_probability;
    found_.interval = evidence.interval;
    judge_rate();
  }

  void look_for_branches(const Probe& main) {
    if (!main.values.varies) return;
    found_.branches = read_branches(box_, main.responses.input,
                                    std::log(1 / settings_.alpha));
    if (found_.branches) found_.kind = ValueKind::kBranches;
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

  void unknown(std::string what) { found_.unknown.push_back(std::move(what)); }

  void note_unknown() {
    if (found_.interrupted) return unknown("more: interrupted");
    if (found_.crashed) return;
    if (!found_.rank) {
      const std::size_t rank =
          settings_.shape ? settings_.shape->size() : kMainRanks.front();
      return unknown("anything, without an input shape that it takes: " +
                     found_.ranks[rank].refusal);
    }
    const auto doubts = doubts_of(found_, *probes_[*found_.rank]);
    found_.unknown.insert(found_.unknown.end(), doubts.begin(), doubts.end());
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

static impl::DType dtype_for(const impl::SubjectEntry& entry,
                             const impl::Description& subject,
                             const IdentifySettings& settings) {
  const impl::DType dtype = settings.config.dtype;
  if (subject.dtypes.empty() || takes(subject, dtype)) return dtype;
  if (!settings.dtype_is_asked) return subject.dtypes.front();
  throw std::invalid_argument(fmt::format("dtype is {}, but {} takes {}",
                                          impl::name_of(dtype), entry.name,
                                          dtype_names(subject)));
}

Identification identify(const impl::SubjectEntry& entry,
                        const IdentifySettings& settings) {
  require_valid(settings);
  const auto subject = entry.open();
  IdentifySettings own = settings;
  own.config.dtype = dtype_for(entry, subject->describe(), settings);
  return Search(*subject, entry, own).run();
}

}  // namespace dropcheck::properties
